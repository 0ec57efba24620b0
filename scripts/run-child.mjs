// Children of run.mjs, and the signals between it and them.
import { spawn } from 'node:child_process';

/** Something that the person at the keyboard can act on: shown without a stack trace. */
export class BootstrapError extends Error {}

/** A signal ended an installation, so that this process must end by it too. */
export class Interrupted extends Error {
  constructor(signal) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

const signalsPassedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** How soon a child is told to stop when the npm that started us is gone. */
const parentCheckMs = 500;
const parent = process.ppid;

/** Runs a child to its end, however long it takes to stop, so that it is never left behind. */
export function runChild(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    const stopPassingOn = passSignalsOn(child);
    child.once('error', (error) => {
      stopPassingOn();
      reject(error.code === 'ENOENT' ? new BootstrapError(`${command} was not found.`) : error);
    });
    child.once('close', (code, signal) => resolve({ code, signal, interruptedBy: stopPassingOn() }));
    options.onSpawn?.(child);
  });
}

/** Runs a child whose output nobody sees unless it fails. @throws {Interrupted} when a signal came meanwhile. */
export async function runCaptured(command, args, options) {
  let output = '';
  const onSpawn = (child) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
  };
  const stdio = ['ignore', 'pipe', 'pipe'];
  const { code, signal, interruptedBy } = await runChild(command, args, { ...options, stdio, onSpawn });
  if (interruptedBy !== undefined || signal !== null) throw new Interrupted(interruptedBy ?? signal);
  return { code, output };
}

/**
 * Ctrl-C and `kill -- -<group>` reach the child by themselves, `kill <this process>` does not, and a process is not told which
 * of them it got. So every signal is passed on, and the server takes a signal that comes twice within a second for one.
 * The function that comes back ends the passing on and names the first signal, if any.
 */
function passSignalsOn(child) {
  let firstSignal;
  const onSignal = (signal) => {
    firstSignal ??= signal;
    // On Windows Ctrl-C reaches every process of the console, and there is nothing else to pass on.
    if (process.platform !== 'win32') child.kill(signal);
  };
  for (const signal of signalsPassedOn) process.on(signal, onSignal);
  const parentCheck = onceParentIsGone(() => {
    // A signal to the whole group ends the shell too, but then the child has it already.
    if (firstSignal === undefined) child.kill('SIGTERM');
    firstSignal ??= 'SIGTERM';
  });
  return () => {
    clearInterval(parentCheck);
    for (const signal of signalsPassedOn) process.off(signal, onSignal);
    return firstSignal;
  };
}

/**
 * npm runs a script through a shell, and passes a signal on to that shell alone. Where /bin/sh does not replace itself by the
 * command (dash up to 0.5.12), `kill <npm>` ends npm and the shell, and this process would go on without them.
 */
function onceParentIsGone(stop) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    stop();
  }, parentCheckMs);
  return check;
}
