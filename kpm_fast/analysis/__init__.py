"""One book under many makers, and what follows for the choice of one."""
