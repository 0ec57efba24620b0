import { testCrashes } from './crash.ts';
import { testOverload } from './overload.ts';

testCrashes('rabbitmq');
testOverload('rabbitmq');
