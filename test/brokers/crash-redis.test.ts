import { testCrashes } from './crash.ts';
import { testOverload } from './overload.ts';

testCrashes('redis');
testOverload('redis');
