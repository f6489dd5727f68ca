"""What computing together costs: seconds, processor time and bytes, parties as processes with TLS on one machine."""
