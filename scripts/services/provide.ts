/** Where a service comes from: a program of this machine, one that is installed now, or an engine for containers. */
import { installDebianPackages } from './debian.ts';
import { hasContainerEngine } from './container.ts';

export type Need = {
  /** As a person calls it: `Redis`. */
  readonly name: string;
  /** The program, or null where it or what it needs is missing. */
  find(): string | null;
  /** Debian's packages that bring all of it. */
  readonly packages: readonly string[];
  /** The variable of the environment that names a service which runs already. */
  readonly variable: string;
};

/** How what is missing may be had. */
export type Sources = { install: typeof installDebianPackages; hasContainerEngine: typeof hasContainerEngine };

/**
 * The program to run, or null where there is none but containers can be run.
 * @throws {Error} in one line: what is missing, why it was not installed, and what to do
 */
export async function provideProgram(
  need: Need,
  sources: Sources = { install: installDebianPackages, hasContainerEngine },
): Promise<string | null> {
  const found = need.find();
  if (found !== null) return found;
  const reason = await sources.install(need.packages, () => need.find() === null);
  const installed = need.find();
  if (installed !== null) return installed;
  if (await sources.hasContainerEngine()) return null;
  const remedy = `Run "sudo apt-get install ${need.packages.join(' ')}", start Docker, or name one in ${need.variable}.`;
  throw new Error(`There is no ${need.name} here: ${reason ?? 'apt-get installed none'}. ${remedy}`);
}
