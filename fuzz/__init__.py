"""Coverage-guided fuzzing: the C++ core with libFuzzer, whatever reads files with atheris."""
