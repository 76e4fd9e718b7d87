"""Many machines: hearing and speaking by stateless replicas on Ray Serve, conversations kept where the connections are."""
