"""What is permitted, decided without I/O: no clock, no randomness, no sockets, no files."""
