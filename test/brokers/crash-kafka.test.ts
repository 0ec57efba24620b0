import { testCrashes } from './crash.ts';
import { testOverload } from './overload.ts';

testCrashes('kafka');
testOverload('kafka');
