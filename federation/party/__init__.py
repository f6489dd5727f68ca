"""One hospital as a process: certificates, approval, journal, service; and the researcher who asks."""
