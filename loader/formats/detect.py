from loader.formats.plan import *
def detect_format(sample: bytes, *, file_name: str, options: LoadOptions, is_whole: bool) -> FilePlan:
    return FilePlan(dialect=Dialect(field_count=5),columns=("region","origin_coord","destination_coord","datetime","datasource"),roles=dict(region=0,origin=1,destination=2,started_at=3,datasource=4))
