"""The REST API: parameters, responses, errors and the OpenAPI document."""
