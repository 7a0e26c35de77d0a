"""Who may do what: trust, purposes and policies. It knows neither the CDK nor a session."""
