/** The answer, or a rejection once it is too late. What comes after that is ignored. */
export async function within<Value>(ms: number, answer: Promise<Value>): Promise<Value> {
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => tooLate.reject(new Error(`No answer within ${ms} ms.`)), ms);
  try {
    return await Promise.race([answer, tooLate.promise]);
  } finally {
    clearTimeout(timer);
    // The loser of the race may still fail.
    answer.catch(() => {});
  }
}
