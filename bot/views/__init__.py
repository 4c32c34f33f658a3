"""Block Kit, as pure functions: what each person sees. Split by surface."""
