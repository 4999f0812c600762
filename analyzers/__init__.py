"""Everything scheduled or served that reads the indices: jobs, watches, reports and the board."""
