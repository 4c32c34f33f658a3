"""The people's side: talks to detectives, examiners and supervisors, and remembers."""
