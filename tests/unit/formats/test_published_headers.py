"""Headers and values as publishers of trips write them, each with rows made up here: read without a hint."""

from datetime import datetime

import pytest

from tests.unit.formats.loading import load_bytes

SAMPLES: dict[str, tuple[str, tuple[str, float, float, float, float, int | None]]] = {
    "Chicago taxis": (
        "Trip ID,Taxi ID,Trip Start Timestamp,Trip End Timestamp,Trip Seconds,Trip Miles,Pickup Census Tract,"
        "Dropoff Census Tract,Pickup Community Area,Dropoff Community Area,Fare,Tips,Tolls,Extras,Trip Total,"
        "Payment Type,Company,Pickup Centroid Latitude,Pickup Centroid Longitude,Pickup Centroid Location,Dro"
        "poff Centroid Latitude,Dropoff Centroid Longitude,Dropoff Centroid  Location\n"
        "f5a,33c,01/31/2021 11:45:00 PM,01/31/2021 11:45:00 PM,300,1.6,,,8,8,7.0,0,0,0,7.0,Cash,Flash Cab,41."
        "899602111,-87.633308037,POINT (-87.6333080367 41.899602111),41.899602111,-87.633308037,POINT (-87.63"
        "33080367 41.899602111)\n",
        ("2021-01-31T23:45:00", -87.633, 41.9, -87.633, 41.9, 0),
    ),
    "Citi Bike to 2020": (
        '"tripduration","starttime","stoptime","start station id","start station name","start station latitud'
        'e","start station longitude","end station id","end station name","end station latitude","end station'
        ' longitude","bikeid","usertype","birth year","gender"\n'
        '"634","2013-07-01 00:00:00","2013-07-01 00:10:34","164","E 47 St & 2 Ave","40.75323098","-73.9703251'
        '7","504","1 Ave & E 15 St","40.73221853","-73.98165557","16950","Customer","\\N","0"\n',
        ("2013-07-01T00:00:00", -73.97, 40.753, -73.982, 40.732, 634),
    ),
    "Citi Bike, Divvy and Bay Wheels since 2020": (
        "ride_id,rideable_type,started_at,ended_at,start_station_name,start_station_id,end_station_name,end_s"
        "tation_id,start_lat,start_lng,end_lat,end_lng,member_casual\n"
        "AB1,docked_bike,2021-02-01 00:04:23,2021-02-01 00:27:33,A,1,B,2,40.72,-74.04,40.73,-74.03,member\n",
        ("2021-02-01T00:04:23", -74.04, 40.72, -74.03, 40.73, 1390),
    ),
    "Divvy 2013": (
        "trip_id,starttime,stoptime,bikeid,tripduration,from_station_id,from_station_name,to_station_id,to_st"
        "ation_name,usertype,gender,birthday,from_latitude,from_longitude,to_latitude,to_longitude\n"
        "4118,2013-06-27 12:11,2013-06-27 12:16,480,316,85,Michigan,28,Larrabee,Customer,,,41.9009,-87.6237,4"
        "1.9151,-87.6345\n",
        ("2013-06-27T12:11:00", -87.624, 41.901, -87.635, 41.915, 300),
    ),
    "BIXI since 2022": (
        "STARTSTATIONNAME,STARTSTATIONARRONDISSEMENT,STARTSTATIONLATITUDE,STARTSTATIONLONGITUDE,ENDSTATIONNAM"
        "E,ENDSTATIONARRONDISSEMENT,ENDSTATIONLATITUDE,ENDSTATIONLONGITUDE,STARTTIMEMS,ENDTIMEMS\n"
        "A,B,45.53,-73.58,C,D,45.52,-73.57,1672549206000,1672549506000\n",
        ("2023-01-01T05:00:06", -73.58, 45.53, -73.57, 45.52, 300),
    ),
    "BIXI 2021": (
        "emplacement_pk_start,start_date,end_date,emplacement_pk_end,duration_sec,is_member,start_lat,start_l"
        "on,end_lat,end_lon\n"
        "10,2021-06-29 17:46:28.653,2021-06-29 19:33:25.7,10,6417,0,45.53,-73.58,45.52,-73.57\n",
        ("2021-06-29T17:46:28.653000", -73.58, 45.53, -73.57, 45.52, 6417),
    ),
    "Ford GoBike": (
        "duration_sec,start_time,end_time,start_station_id,start_station_name,start_station_latitude,start_st"
        "ation_longitude,end_station_id,end_station_name,end_station_latitude,end_station_longitude,bike_id,u"
        "ser_type\n"
        "80110,2017-12-31 16:57:39.6540,2018-01-01 15:12:50.2450,74,Laguna,37.776435,-122.426244,43,SF,37.778"
        "768,-122.415929,96,Customer\n",
        ("2017-12-31T16:57:39.654000", -122.426, 37.776, -122.416, 37.779, 80110),
    ),
    "TfL cycle hire": (
        "Rental Id,Duration,Bike Id,End Date,End Station Id,End Station Name,Start Date,Start Station Id,Star"
        "t Station Name,Start Latitude,Start Longitude,End Latitude,End Longitude\n"
        "1,360,2,13/01/2016 00:06,3,X,13/01/2016 00:00,4,Y,51.5,-0.12,51.51,-0.11\n",
        ("2016-01-13T00:00:00", -0.12, 51.5, -0.11, 51.51, 360),
    ),
    "MDS trips": (
        "provider_id,provider_name,device_id,vehicle_id,trip_id,trip_duration,trip_distance,route_start_lng,r"
        "oute_start_lat,route_end_lng,route_end_lat,start_time,end_time\n"
        "a,Lime,b,c,d,10,20,-97.74,30.26,-97.75,30.27,1529968782421,1529968882421\n",
        ("2018-06-25T23:19:42.421000", -97.74, 30.26, -97.75, 30.27, 100),
    ),
    "Porto taxis": (
        '"TRIP_ID","CALL_TYPE","ORIGIN_CALL","ORIGIN_STAND","TAXI_ID","TIMESTAMP","DAY_TYPE","MISSING_DATA","'
        'POLYLINE"\n'
        '"1372636858620000589","C","","","20000589","1372636858","A","False","[[-8.618643,41.141412],[-8.6184'
        '99,41.141376],[-8.620326,41.14251]]"\n',
        ("2013-07-01T00:00:58", -8.619, 41.141, -8.62, 41.143, None),
    ),
    "GAIA orders without a header": (
        "mjiwdgkqmonDFvCk3ntBpron5mwfrqvI,1477964797,1477966507,104.09464,30.703971,104.08927,30.650850\n"
        "mjiwdgkqmonDFvCk3ntBpron5mwfrqvI,1477964797,1477966507,104.09464,30.703971,104.08927,30.650850\n"
        "mjiwdgkqmonDFvCk3ntBpron5mwfrqvI,1477964797,1477966507,104.09464,30.703971,104.08927,30.650850\n",
        ("2016-11-01T01:46:37", 104.095, 30.704, 104.089, 30.651, 1710),
    ),
    "Oslo Bysykkel": (
        "started_at,ended_at,duration,start_station_id,start_station_name,start_station_description,start_sta"
        "tion_latitude,start_station_longitude,end_station_id,end_station_name,end_station_description,end_st"
        "ation_latitude,end_station_longitude\n"
        "2019-12-01 05:01:21.294000+00:00,2019-12-01 05:07:00.294000+00:00,339,573,A,b,59.92,10.75,498,C,d,59"
        ".91,10.73\n",
        ("2019-12-01T05:01:21.294000", 10.75, 59.92, 10.73, 59.91, 339),
    ),
    "points of PostGIS": (
        "bike_id,trip_start,trip_end,start_geom,end_geom\n"
        "1,2020-08-01T00:00:00Z,2020-08-01T00:10:00Z,POINT(-6.26 53.34),POINT(-6.27 53.35)\n",
        ("2020-08-01T00:00:00", -6.26, 53.34, -6.27, 53.35, 600),
    ),
    "Minneapolis scooters": (
        "TripID,TripDuration,TripDistance,StartTime,EndTime,StartCenterlineID,EndCenterlineID,start_x,start_y"
        ",end_x,end_y\n"
        "1,2,3,2019/05/01 12:00:00+00,2019/05/01 12:30:00+00,a,b,-93.26,44.97,-93.27,44.98\n",
        ("2019-05-01T12:00:00", -93.26, 44.97, -93.27, 44.98, 1800),
    ),
    "Louisville scooters": (
        "TripID,StartDate,StartTime,EndDate,EndTime,TripDuration,TripDistance,StartLatitude,StartLongitude,En"
        "dLatitude,EndLongitude,DayOfWeek,HourNum\n"
        "x,2018-08-09,17:45,2018-08-09,18:00,10,1,38.25,-85.75,38.26,-85.74,5,17\n",
        ("2018-08-09T17:45:00", -85.75, 38.25, -85.74, 38.26, 900),
    ),
    "GeoJSON points": (
        "id;geom_from;geom_to;ts\n"
        '1;"{""type"":""Point"",""coordinates"":[14.42,50.08]}";"{""type"":""Point"",""coordinates"":[14.43,5'
        '0.09]}";2024-03-12T09:03:00+01:00\n',
        ("2024-03-12T08:03:00", 14.42, 50.08, 14.43, 50.09, None),
    ),
    "WKT lines": (
        'trip,when,geometry\n1,2020-01-02 10:00:00,"LINESTRING (14.42 50.08, 14.425 50.085, 14.43 50.09)"\n',
        ("2020-01-02T10:00:00", 14.42, 50.08, 14.43, 50.09, None),
    ),
    "day first, as one row shows": (
        "Request id,Request timestamp,Pickup lat,Pickup lng,Drop lat,Drop lng,Status\n"
        "1,11/7/2016 11:51,12.97,77.59,12.98,77.60,ok\n"
        "1,13/7/2016 11:51,12.97,77.59,12.98,77.60,ok\n",
        ("2016-07-11T11:51:00", 77.59, 12.97, 77.6, 12.98, None),
    ),
    "Helsinki bikes": (
        "departure,return,departure_id,departure_name,return_id,return_name,distance (m),duration (sec.),avg_"
        "speed (km/h),departure_latitude,departure_longitude,return_latitude,return_longitude,Air temperature"
        " (degC)\n"
        "2020-03-23 06:09:44,2020-03-23 06:16:26,86,K,111,E,1747,401,0.26,60.195,24.90,60.199,24.93,0.9\n",
        ("2020-03-23T06:09:44", 24.9, 60.195, 24.93, 60.199, 402),
    ),
    "months by name": (
        "ID|PICKUP_DT|PICKUP_LAT|PICKUP_LON|DROP_LAT|DROP_LON\n1|12-MAR-24 09:03:00|12.97|77.59|12.98|77.60\n",
        ("2024-03-12T09:03:00", 77.59, 12.97, 77.6, 12.98, None),
    ),
    "Ecobici": (
        "Genero_Usuario,Edad_Usuario,Bici,Ciclo_Estacion_Retiro,Fecha_Retiro,Hora_Retiro,Ciclo_EstacionArribo"
        ",Fecha_Arribo,Hora_Arribo,lat_retiro,lon_retiro,lat_arribo,lon_arribo\n"
        "M,30,1,2,13/02/2020,10:00:00,3,13/02/2020,10:10:00,19.43,-99.13,19.44,-99.14\n",
        ("2020-02-13T10:00:00", -99.13, 19.43, -99.14, 19.44, 600),
    ),
    "Portuguese names": (
        "longitude_origem,latitude_origem,longitude_destino,latitude_destino,inicio\n"
        "-43.18,-22.9,-43.19,-22.91,2020-01-01 10:00:00\n",
        ("2020-01-01T10:00:00", -43.18, -22.9, -43.19, -22.91, None),
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_kindred_files_are_read_without_a_hint(name: str) -> None:
    text, (started, *numbers, duration) = SAMPLES[name]
    loaded = load_bytes(text.encode())
    assert loaded.rejects.height == 0
    trip = loaded.trips.row(0, named=True)
    assert trip["started_at"] == datetime.fromisoformat(started)
    ends = [trip[f"{end}_{axis}"] for end in ("origin", "destination") for axis in ("longitude", "latitude")]
    assert ends == pytest.approx(numbers, abs=1e-3)
    assert trip["duration_s"] == duration
