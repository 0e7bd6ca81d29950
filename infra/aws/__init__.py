"""Tripdeck on AWS: a CDK app. ECS on Fargate, RDS for PostgreSQL, S3, Valkey on ElastiCache, a load balancer."""
