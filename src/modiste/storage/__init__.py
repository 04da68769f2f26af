"""The product database: durable truth, in LanceDB."""
