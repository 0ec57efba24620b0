/** One PostgreSQL for all service tests of a run; each server makes its own database in it. */
import type { TestProject } from 'vitest/node';
import { startServices } from '../../scripts/services/start-services.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The URL of a database whose user may create others. */
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { urls, stop } = await startServices(['postgres']);
  project.provide('postgresUrl', urls.postgresUrl);
  return stop;
}
