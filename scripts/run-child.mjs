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

const signalsHeard = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** How soon a child is told to stop when the npm that started us is gone. */
const parentCheckMs = 500;
const parent = process.ppid;

/**
 * Runs a program to its end, however long it takes to stop, so that it is never left behind.
 *
 * Ctrl-C and `kill -- -<group>` reach the child by themselves, `kill <this process>` does not, and a process is not told which
 * of them it got. So every signal is passed on, and the server takes a signal that comes twice within a second for one.
 */
export function runProgram(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: 'inherit' });
  // On Windows Ctrl-C reaches every process of the console, and there is nothing else to pass on.
  const onSignal = process.platform === 'win32' ? () => undefined : (signal) => child.kill(signal);
  return untilEnd(command, child, onSignal);
}

/**
 * Runs a tool whose output nobody sees unless it fails. On a signal it is killed at once, because nothing of its work is kept.
 * @throws {Interrupted} when a signal came meanwhile.
 */
export async function runCaptured(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const { code, signal, heard } = await untilEnd(command, child, () => child.kill('SIGKILL'));
  if (heard !== undefined || signal !== null) throw new Interrupted(heard ?? signal);
  return { code, output };
}

function untilEnd(command, child, onSignal) {
  return new Promise((resolve, reject) => {
    const stopHearing = hearSignals(onSignal);
    child.once('close', (code, signal) => resolve({ code, signal, heard: stopHearing() }));
    child.once('error', (error) => {
      stopHearing();
      reject(error.code === 'ENOENT' ? new BootstrapError(`${command} was not found.`) : error);
    });
  });
}

/**
 * The function that comes back stops the hearing and names the first signal, if any came.
 *
 * npm runs a script through a shell, and passes a signal on to that shell alone. Where /bin/sh does not replace itself by the
 * command (dash up to 0.5.12), `kill <npm>` ends npm and the shell, and this process hears of it only by losing its parent.
 */
function hearSignals(onSignal) {
  let heard;
  const onAny = (signal) => {
    heard ??= signal;
    onSignal(signal);
  };
  const checkParent = () => {
    // A signal to the whole group ends the shell too, but then it was heard here as well.
    if (process.ppid !== parent && heard === undefined) onAny('SIGTERM');
  };
  const isRunByNpm = process.env.npm_lifecycle_event !== undefined;
  const parentCheck = isRunByNpm ? setInterval(checkParent, parentCheckMs) : undefined;
  for (const signal of signalsHeard) process.on(signal, onAny);
  return () => {
    clearInterval(parentCheck);
    for (const signal of signalsHeard) process.off(signal, onAny);
    return heard;
  };
}
