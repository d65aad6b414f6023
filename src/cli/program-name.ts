export const NAME = 'pcache-migrate';
