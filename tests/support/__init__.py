"""What every runner under tests/ shares: paths, child processes, tools and the count of checks."""
