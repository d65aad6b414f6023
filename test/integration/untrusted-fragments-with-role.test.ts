import { withstandAll } from './untrusted/withstand-all.js';

withstandAll('with a fragment role');
