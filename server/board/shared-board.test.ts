import { describeSharedBoard } from '../../test/support/describe-shared-board.ts';
import { createUnsharedBoard } from './shared-board.ts';

describeSharedBoard(
  'in memory',
  (_house, { board }) => Promise.resolve(createUnsharedBoard(board, Date.now)),
  /^in_memory$/u,
);
