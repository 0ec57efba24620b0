/** Forms that browsers send without a script: read, and refused where another site's page sent them. */
import formbody from '@fastify/formbody';
import type { HttpApp } from '../http/parts.ts';

export type Form = {
  /** The field's value; of several, the last. Empty where there is none. */
  field(name: string): string;
  fields(name: string): string[];
};

export async function takeForms(app: HttpApp, bodyBytesMax: number): Promise<void> {
  // Scripts have the API: what comes here is what a browser's form sends.
  app.removeAllContentTypeParsers();
  await app.register(formbody, { bodyLimit: bodyBytesMax });
}

export function readForm(body: unknown): Form {
  const values: Readonly<Record<string, unknown>> = typeof body === 'object' && body !== null ? { ...body } : {};
  function fields(name: string): string[] {
    return [values[name] ?? []].flat().map(String);
  }
  return { fields, field: (name) => fields(name).at(-1) ?? '' };
}
