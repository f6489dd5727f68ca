"""What is computed together: jobs, their steps and their programs."""
