"""A story that the system tells about itself, each step checked on the other side."""
