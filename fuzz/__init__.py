"""Coverage-guided fuzzing: the C++ core with libFuzzer, the readers of files with atheris."""
