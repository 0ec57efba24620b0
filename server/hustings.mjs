#!/usr/bin/env node
// The way in. What Node makes of the sources before it runs them is kept for the next start: see docs/decisions/0018-kept-code.md.
// In plain JavaScript, because one file in TypeScript is enough for Node to load its translator.
import { enableCompileCache } from 'node:module';
import path from 'node:path';

// In a folder of ours, and not in the one for all: whoever could write there could put other code in its place.
// Where we may not write, nothing is kept, and the start only takes longer.
enableCompileCache(path.join(import.meta.dirname, '..', '.cache', 'compiled'));
await import('./main.ts');
