"""Everything that brings the durable function to AWS."""
