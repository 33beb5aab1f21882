"""Files of any content: tables, strict JSON, files that appear complete or not at all."""
