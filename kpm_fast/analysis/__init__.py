"""One book under many makers, as a basis for choosing one."""
