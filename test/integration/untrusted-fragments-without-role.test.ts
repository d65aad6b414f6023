import { withstandAll } from './untrusted/withstand-all.js';

withstandAll('without a fragment role');
