"""Headers of public trip data as its publishers write them, in many languages: `name=kind of cell` for each column."""

HEADERS: dict[str, str] = {
    "planned and actual": "planned_departure=before,actual_departure=t,planned_arrival=later,actual_arrival=e,"
    "start_lat=olat,start_lon=olon,end_lat=dlat,end_lon=dlon",
    "reserved and actual": "reservation_start=before,actual_start=t,home_lat=olat,home_lon=olon,work_lat=dlat,work_lon=dlon",
    "a clock that was planned": "date=date,scheduled_departure_time=eclock,departure_time=clock,start_lat=olat,start_lon=olon,"
    "end_lat=dlat,end_lon=dlon",
    "times of day": "Datum=date,Bis=eclock,Von=clock,nach_lat=dlat,nach_lon=dlon,von_lat=olat,von_lon=olon",
    "in and out": "date=date,exit_time=eclock,entry_time=clock,exit_lat=dlat,exit_lon=dlon,entry_lat=olat,entry_lon=olon",
    "first and last": "last_ts=e,first_ts=t,last_lat=dlat,last_lon=dlon,first_lat=olat,first_lon=olon",
    "aliases of two tables": "t2.lat=dlat,t2.lon=dlon,t1.lat=olat,t1.lon=olon,t0.time=t",
    "Japanese points": "目的地=d,出発地=o,日時=t",
    "German points": "Ziel=d,Start=o,Zeit=t",
    "Citi Bike": "tripduration=int,starttime=t,stoptime=e,start station id=id,start station name=name,"
    "start station latitude=olat,start station longitude=olon,end station id=id,end station name=name,"
    "end station latitude=dlat,end station longitude=dlon,bikeid=id,usertype=name,birth year=int",
    "Divvy": "ride_id=id,rideable_type=name,started_at=t,ended_at=e,start_station_name=name,start_station_id=id,"
    "start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon,member_casual=name",
    "Metro Bike Share": "trip_id=id,duration=int,start_time=t,end_time=e,start_station=id,start_lat=olat,start_lon=olon,"
    "end_station=id,end_lat=dlat,end_lon=dlon,bike_id=id,plan_duration=int,trip_route_category=name",
    "Divvy 2013": "trip_id=id,starttime=t,stoptime=e,from_station_id=id,from_latitude=olat,from_longitude=olon,"
    "to_station_id=id,to_latitude=dlat,to_longitude=dlon",
    "BIXI": "STARTSTATIONNAME=name,STARTSTATIONARRONDISSEMENT=name,STARTSTATIONLATITUDE=olat,STARTSTATIONLONGITUDE=olon,"
    "ENDSTATIONNAME=name,ENDSTATIONLATITUDE=dlat,ENDSTATIONLONGITUDE=dlon,STARTTIME=t,ENDTIME=e",
    "Toronto": "Trip Id=id,Trip Duration=int,Start Station Id=id,Start Time=t,Start Station Name=name,End Station Id=id,"
    "End Time=e,Start Lat=olat,Start Lon=olon,End Lat=dlat,End Lon=dlon",
    "Austin bikes": "Trip ID=id,Membership Type=name,Bicycle ID=id,Checkout Date=date,Checkout Time=clock,"
    "Checkout Kiosk ID=id,Checkout Lat=olat,Checkout Lon=olon,Return Kiosk ID=id,Return Lat=dlat,Return Lon=dlon",
    "Pronto": "trip_id=id,starttime=t,stoptime=e,bikeid=id,from_station_name=name,to_station_name=name,from_lat=olat,"
    "from_long=olon,to_lat=dlat,to_long=dlon",
    "London": "Rental Id=id,Duration=int,Bike Id=id,End Date=e,EndStation Id=id,Start Date=t,StartStation Id=id,"
    "StartStation Latitude=olat,StartStation Longitude=olon,EndStation Latitude=dlat,EndStation Longitude=dlon",
    "Oslo": "started_at=t,ended_at=e,duration=int,start_station_id=id,start_station_name=name,"
    "start_station_latitude=olat,start_station_longitude=olon,end_station_id=id,end_station_latitude=dlat,"
    "end_station_longitude=dlon",
    "Helsinki": "departure=t,return=e,departure_id=id,departure_name=name,return_id=id,departure_latitude=olat,"
    "departure_longitude=olon,return_latitude=dlat,return_longitude=dlon",
    "Yellow taxis 2009": "vendor_name=name,Trip_Pickup_DateTime=t,Trip_Dropoff_DateTime=e,Passenger_Count=int,"
    "Trip_Distance=num,Start_Lon=olon,Start_Lat=olat,Rate_Code=int,End_Lon=dlon,End_Lat=dlat,Payment_Type=name,"
    "Fare_Amt=num",
    "Yellow taxis 2014": "vendor_id=name,pickup_datetime=t,dropoff_datetime=e,passenger_count=int,trip_distance=num,"
    "pickup_longitude=olon,pickup_latitude=olat,rate_code=int,dropoff_longitude=dlon,dropoff_latitude=dlat,"
    "payment_type=name",
    "Green taxis": "VendorID=int,lpep_pickup_datetime=t,Lpep_dropoff_datetime=e,Store_and_fwd_flag=name,RateCodeID=int,"
    "Pickup_longitude=olon,Pickup_latitude=olat,Dropoff_longitude=dlon,Dropoff_latitude=dlat,Passenger_count=int",
    "taxis with zones beside": "tpep_pickup_datetime=t,tpep_dropoff_datetime=e,PULocationID=id,DOLocationID=id,"
    "PU_lat=olat,PU_lon=olon,DO_lat=dlat,DO_lon=dlon",
    "Chicago taxis": "Trip ID=id,Trip Start Timestamp=t,Trip End Timestamp=e,Pickup Census Tract=id,"
    "Dropoff Census Tract=id,Pickup Community Area=id,Pickup Centroid Latitude=olat,Pickup Centroid Longitude=olon,"
    "Dropoff Centroid Latitude=dlat,Dropoff Centroid Longitude=dlon",
    "San Francisco taxis": "vehicle_placard_number=id,start_time_local=t,end_time_local=e,pickup_location_latitude=olat,"
    "pickup_location_longitude=olon,dropoff_location_latitude=dlat,dropoff_location_longitude=dlon,fare_type=name",
    "RideAustin": "completed_on=e,distance_travelled=int,end_location_lat=dlat,end_location_long=dlon,started_on=t,"
    "start_location_lat=olat,start_location_long=olon,created_date=before,dispatched_on=before,RIDE_ID=id",
    "Uber's own data": "City=name,Product Type=name,Request Time=before,Begin Trip Time=t,Begin Trip Lat=olat,"
    "Begin Trip Lng=olon,Dropoff Time=e,Dropoff Lat=dlat,Dropoff Lng=dlon,Distance (miles)=num",
    "ride hailing requests": "request_id=id,request_ts=before,pickup_ts=t,dropoff_ts=e,pickup_lat=olat,pickup_lng=olon,"
    "drop_lat=dlat,drop_lng=dlon,updated_at=later",
    "carpooling register": "journey_id=id,trip_id=id,journey_start_datetime=t,journey_start_date=date,"
    "journey_start_time=clock,journey_start_lon=olon,journey_start_lat=olat,journey_start_insee=id,"
    "journey_end_datetime=e,journey_end_date=date,journey_end_time=eclock,journey_end_lon=dlon,journey_end_lat=dlat,"
    "passenger_seats=int",
    "MDS": "provider_id=id,trip_id=id,route_start_lng=olon,route_start_lat=olat,route_end_lng=dlon,route_end_lat=dlat,"
    "start_time=t,end_time=e,publication_time=later",
    "Louisville": "TripID=id,StartDate=date,StartTime=clock,EndDate=date,EndTime=eclock,TripDuration=int,"
    "StartLatitude=olat,StartLongitude=olon,EndLatitude=dlat,EndLongitude=dlon,DayOfWeek=int,HourNum=int",
    "Kansas City": "Start Date=date,Start Time=ampm,End Date=date,End Time=eclock,Start Latitude=olat,"
    "Start Longitude=olon,End Latitude=dlat,End Longitude=dlon,Trip Duration=int",
    "Minneapolis": "TripID=id,StartTime=t,EndTime=e,StartCenterlineID=id,EndCenterlineID=id,start_x=olon,start_y=olat,"
    "end_x=dlon,end_y=dlat",
    "Mobike": "orderid=id,bikeid=id,userid=id,start_time=t,start_location_x=olon,start_location_y=olat,end_time=e,"
    "end_location_x=dlon,end_location_y=dlat",
    "Shenzhen": "USER_ID=id,COM_ID=id,START_TIME=t,START_LNG=olon,START_LAT=olat,END_TIME=e,END_LNG=dlon,END_LAT=dlat",
    "Hive export": "table_1.order_id=id,table_1.arrive_time=e,table_1.departure_time=t,table_1.dest_lng=dlon,"
    "table_1.dest_lat=dlat,table_1.starting_lng=olon,table_1.starting_lat=olat,table_1.pre_total_fee=num",
    "Hive alias": "t2.end_lat=dlat,t2.end_lng=dlon,t2.start_lat=olat,t2.start_lng=olon,t2.start_time=t",
    "BigQuery prefix": "trips__dropoff_lat=dlat,trips__dropoff_lon=dlon,trips__pickup_lat=olat,trips__pickup_lon=olon,"
    "trips__pickup_at=t",
    "flattened JSON": "properties.end.lat=dlat,properties.end.lon=dlon,properties.start.lat=olat,"
    "properties.start.lon=olon,properties.start.time=t",
    "json_normalize": "start.lat=olat,start.lon=olon,start.time=t,end.lat=dlat,end.lon=dlon,end.time=e",
    "digits behind words": "dest_lat_1=dlat,dest_lng_1=dlon,start_lat_1=olat,start_lng_1=olon,start_time=t",
    "digits against words": "dropoff_lat_1=dlat,dropoff_lon_1=dlon,pickup_lat_2=olat,pickup_lon_2=olon,time=t",
    "camel case": "dropoffLatitude=dlat,dropoffLongitude=dlon,pickupLatitude=olat,pickupLongitude=olon,pickupDateTime=t",
    "lock and unlock": "lock_time=e,unlock_time=t,lock_lat=dlat,lock_lng=dlon,unlock_lat=olat,unlock_lng=olon",
    "home and work": "work_lat=dlat,work_lon=dlon,home_lat=olat,home_lon=olon,leave_time=t",
    "boarding": "alighting_time=e,boarding_time=t,alighting_lat=dlat,alighting_lon=dlon,boarding_lat=olat,boarding_lon=olon",
    "tap on, tap off": "tap_off_time=e,tap_on_time=t,tap_off_lat=dlat,tap_off_lon=dlon,tap_on_lat=olat,tap_on_lon=olon",
    "entry and exit": "EXIT_DATE=date,EXIT_TIME=eclock,ENTRY_DATE=date,ENTRY_TIME=clock,EXIT_LAT=dlat,EXIT_LON=dlon,"
    "ENTRY_LAT=olat,ENTRY_LON=olon",
    "source and target": "target_lng=dlon,target_lat=dlat,source_lng=olon,source_lat=olat,ts=t",
    "rented and returned": "returned_on=e,rented_on=t,return_lat=dlat,return_lon=dlon,rental_lat=olat,rental_lon=olon",
    "opened and closed": "closed_at=e,opened_at=t,end_lat=dlat,end_lng=dlon,start_lat=olat,start_lng=olon",
    "until and since": "until=e,since=t,to_lat=dlat,to_lon=dlon,from_lat=olat,from_lon=olon",
    "checkin after checkout": "checkin_time=e,checkout_time=t,end_lat=dlat,end_lng=dlon,start_lat=olat,start_lng=olon",
    "checkin before checkout": "checkout_time=e,checkin_time=t,checkout_lat=dlat,checkout_lon=dlon,checkin_lat=olat,"
    "checkin_lon=olon",
    "letters": "d_lat=dlat,d_lon=dlon,o_lat=olat,o_lon=olon,datetime=t",
    "a and b": "b_lat=dlat,b_lon=dlon,a_lat=olat,a_lon=olon,datetime=t",
    "flights": "arr_lat=dlat,arr_lon=dlon,dep_lat=olat,dep_lon=olon,dep_time=t,arr_time=e,scheduled_dep_time=before",
    "journal of changes": "created_at=before,updated_at=later,picked_up_at=t,pickup_lat=olat,pickup_lon=olon,"
    "drop_off_lat=dlat,drop_off_lon=dlon",
    "birth and payment": "birth_date=birth,payment_date=later,rental_begin=t,rental_end=e,start_lat=olat,start_lon=olon,"
    "end_lat=dlat,end_lon=dlon",
    "only a request": "updated_at=later,requested=t,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "only a creation": "modified=later,created_at=t,pickup_lat=olat,pickup_lng=olon,dropoff_lat=dlat,dropoff_lng=dlon",
    "merged stations beside names": "started_at=t,id_x=id,capacity_x=id,start_lat=olat,start_lng=olon,id_y=id,"
    "capacity_y=id,end_lat=dlat,end_lng=dlon",
    "driver beside trip": "driver_start_lat=num,driver_start_lng=num,end_lat=dlat,end_lng=dlon,start_lat=olat,"
    "start_lng=olon,start_at=t",
    "points": "dropoff_point=d,pickup_point=o,dropoff_datetime=e,pickup_datetime=t",
    "kepler": "tpep_pickup_datetime=t,pickup_longitude=olon,pickup_latitude=olat,dropoff_longitude=dlon,"
    "dropoff_latitude=dlat,trip_time=num",
    "local beside UTC": "start_time_utc=before,start_time_local=t,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "one date, two clocks": "Date=date,StartTime=clock,EndTime=eclock,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "one date, start and end": "Date=date,Start=clock,End=eclock,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "trip date": "Trip Date=date,Start Time=ampm,End Time=eclock,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "service date": "service_date=date,dep_time=clock,arr_time=eclock,o_lat=olat,o_lon=olon,d_lat=dlat,d_lon=dlon",
    "date and time": "Date=date,Time=clock,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "portal's midnight": "date=midnight,time_start=clock,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "Access": "StartDate=midnight,StartTime=access,EndDate=midnight,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "day of the export": "StartDate=date,StartTime=export,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "whole numbers": "Date=date,StartTime=hhmmss,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "pandas timedelta": "pickup_date=date,pickup_time=days,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "weather beside": "date=date,dep_time=clock,sunrise_time=eclock,start_lat=olat,start_lng=olon,end_lat=dlat,end_lng=dlon",
    "Buenos Aires": "Id_recorrido=id,duracion_recorrido=int,fecha_origen_recorrido=t,id_estacion_origen=id,"
    "nombre_estacion_origen=name,direccion_estacion_origen=name,long_estacion_origen=olon,lat_estacion_origen=olat,"
    "fecha_destino_recorrido=e,id_estacion_destino=id,long_estacion_destino=dlon,lat_estacion_destino=dlat,id_usuario=id",
    "Mexico City": "Genero_Usuario=name,Edad_Usuario=int,Bici=id,Ciclo_Estacion_Retiro=id,Fecha_Retiro=date,"
    "Hora_Retiro=clock,Fecha_Arribo=date,Hora_Arribo=eclock,lat_retiro=olat,lon_retiro=olon,lat_arribo=dlat,"
    "lon_arribo=dlon",
    "Guadalajara": "Viaje_Id=id,Usuario_Id=id,Genero=name,Inicio_del_viaje=t,Fin_del_viaje=e,Origen_Id=id,Destino_Id=id,"
    "Latitud_origen=olat,Longitud_origen=olon,Latitud_destino=dlat,Longitud_destino=dlon",
    "Madrid": "fecha=midnight,unlock_date=t,lock_date=e,geolocation_unlock=o,geolocation_lock=d,station_unlock=id,"
    "station_lock=id",
    "Spanish dates": "latitud_destino=dlat,longitud_destino=dlon,latitud_origen=olat,longitud_origen=olon,"
    "fecha_llegada=e,fecha_salida=t",
    "Spanish boarding": "tiempo_bajada=e,tiempo_subida=t,lat_bajada=dlat,lon_bajada=dlon,lat_subida=olat,lon_subida=olon",
    "Spanish from and to": "hasta_lat=dlat,hasta_lon=dlon,desde_lat=olat,desde_lon=olon,fecha_de_registro=later,fecha_inicio=t",
    "Spanish collection": "fecha_devolución=e,fecha_recogida=t,latitud_devolución=dlat,longitud_devolución=dlon,"
    "latitud_recogida=olat,longitud_recogida=olon,fecha_nacimiento=birth",
    "Portuguese": "Data de chegada=e,Data de partida=t,Latitude do destino=dlat,Longitude do destino=dlon,"
    "Latitude da origem=olat,Longitude da origem=olon",
    "Portuguese boarding": "hora do desembarque=e,hora do embarque=t,latitude desembarque=dlat,"
    "longitude desembarque=dlon,latitude embarque=olat,longitude embarque=olon",
    "Portuguese bikes": "data_devolução=e,data_retirada=t,lat_devolução=dlat,lon_devolução=dlon,lat_retirada=olat,"
    "lon_retirada=olon,data_de_nascimento=birth,data_pagamento=later",
    "Portuguese from and to": "para_lat=dlat,para_lon=dlon,de_lat=olat,de_lon=olon,hora_início=t,hora_fim=e",
    "French": "Heure d'arrivée=e,Heure de départ=t,Latitude arrivée=dlat,Longitude arrivée=dlon,Latitude départ=olat,"
    "Longitude départ=olon",
    "French glued": "arrivee_lat=dlat,arrivee_lon=dlon,depart_lat=olat,depart_lon=olon,date_fin=e,date_debut=t",
    "French rental": "Date de retour=e,Date d'emprunt=t,latitude retour=dlat,longitude retour=dlon,"
    "latitude emprunt=olat,longitude emprunt=olon,Date de naissance=birth",
    "French points": "destination=d,origine=o,date de mise à jour=later,horodatage=t",
    "Italian": "data_arrivo=e,data_partenza=t,lat_arrivo=dlat,lon_arrivo=dlon,lat_partenza=olat,lon_partenza=olon",
    "Italian rental": "ora_fine=eclock,ora_inizio=clock,data_inizio=date,data_fine=date,latitudine_fine=dlat,"
    "longitudine_fine=dlon,latitudine_inizio=olat,longitudine_inizio=olon",
    "Italian collection": "data consegna=e,data prelievo=t,lat consegna=dlat,lon consegna=dlon,lat prelievo=olat,"
    "lon prelievo=olon,data di nascita=birth",
    "German": "Ende=e,Beginn=t,Ende_Breite=dlat,Ende_Länge=dlon,Beginn_Breite=olat,Beginn_Länge=olon",
    "German goal": "Zielzeit=e,Startzeit=t,Ziel Breitengrad=dlat,Ziel Längengrad=dlon,Start Breitengrad=olat,"
    "Start Längengrad=olon",
    "German train": "Ankunftszeit=e,Abfahrtszeit=t,Ankunft Breite=dlat,Ankunft Länge=dlon,Abfahrt Breite=olat,Abfahrt Länge=olon",
    "German bikes": "Rückgabezeitpunkt=e,Ausleihzeitpunkt=t,Rückgabe Lat=dlat,Rückgabe Lon=dlon,Ausleihe Lat=olat,"
    "Ausleihe Lon=olon,Geburtsdatum=birth",
    "German from and to": "nach_lat=dlat,nach_lon=dlon,von_lat=olat,von_lon=olon,Bestellzeit=later,Uhrzeit=clock,Datum=date",
    "German without umlauts": "Ziel_Laenge=dlon,Ziel_Breite=dlat,Start_Laenge=olon,Start_Breite=olat,Startzeitpunkt=t,"
    "Geaendert=later",
    "Call a Bike": "BOOKING_HAL_ID=id,DATE_UNTIL=e,DATE_FROM=t,START_LAT=olat,START_LON=olon,END_LAT=dlat,END_LON=dlon,"
    "DATE_BOOKING=before",
    "Dutch": "aankomsttijd=e,vertrektijd=t,aankomst_lat=dlat,aankomst_lon=dlon,vertrek_lat=olat,vertrek_lon=olon",
    "Dutch origin": "bestemming_breedtegraad=dlat,bestemming_lengtegraad=dlon,herkomst_breedtegraad=olat,"
    "herkomst_lengtegraad=olon,begintijd=t,eindtijd=e",
    "Dutch from and to": "naar_lat=dlat,naar_lon=dlon,van_lat=olat,van_lon=olon,datum=date,tijd=clock",
    "Polish": "Data zwrotu=e,Data wynajmu=t,Szerokość zwrotu=dlat,Długość zwrotu=dlon,Szerokość wynajmu=olat,"
    "Długość wynajmu=olon",
    "Polish start": "czas zakończenia=e,czas rozpoczęcia=t,koniec_lat=dlat,koniec_lon=dlon,początek_lat=olat,początek_lon=olon",
    "Polish travel": "przyjazd=e,odjazd=t,cel_lat=dlat,cel_lon=dlon,źródło_lat=olat,źródło_lon=olon",
    "Czech": "příjezd=e,odjezd=t,cíl_lat=dlat,cíl_lon=dlon,start_lat=olat,start_lon=olon",
    "Czech long": "Čas konce=later,Zeměpisná šířka cíle=num,čas_začátek=t,konec_šířka=dlat,konec_délka=dlon,"
    "začátek_šířka=olat,začátek_délka=olon",
    "Czech rental": "datum vrácení=e,datum výpůjčky=t,vrácení_lat=dlat,vrácení_lon=dlon,výpůjčka_lat=olat,výpůjčka_lon=olon",
    "Danish": "sluttidspunkt=e,starttidspunkt=t,slut_breddegrad=dlat,slut_længdegrad=dlon,start_breddegrad=olat,"
    "start_længdegrad=olon",
    "Norwegian": "ankomst=e,avgang=t,til_lat=dlat,til_lon=dlon,fra_lat=olat,fra_lon=olon",
    "Swedish": "sluttid=e,starttid=t,slut_latitud=dlat,slut_longitud=dlon,start_latitud=olat,start_longitud=olon",
    "Swedish from and to": "till_lat=dlat,till_lon=dlon,från_lat=olat,från_lon=olon,tidpunkt=t",
    "Finnish": "Paluuaika=e,Lähtöaika=t,Paluuasema leveysaste=dlat,Paluuasema pituusaste=dlon,"
    "Lähtöasema leveysaste=olat,Lähtöasema pituusaste=olon",
    "Chinese": "到达时间=e,出发时间=t,到达纬度=dlat,到达经度=dlon,出发纬度=olat,出发经度=olon",
    "Chinese taxi": "下车时间=e,上车时间=t,下车纬度=dlat,下车经度=dlon,上车纬度=olat,上车经度=olon,支付时间=later,车牌号=name",
    "Chinese bikes": "还车时间=e,借车时间=t,还车站点纬度=dlat,还车站点经度=dlon,借车站点纬度=olat,借车站点经度=olon,"
    "还车站点名称=name",
    "Chinese order": "订单编号=id,下单时间=before,开始时间=t,结束时间=e,终点经度=dlon,终点纬度=dlat,起点经度=olon,起点纬度=olat",
    "Taipei": "還車時間=e,借車時間=t,還車站緯度=dlat,還車站經度=dlon,借車站緯度=olat,借車站經度=olon",
    "Japanese": "到着日時=e,出発日時=t,到着緯度=dlat,到着経度=dlon,出発緯度=olat,出発経度=olon",
    "Japanese taxi": "降車日時=e,乗車日時=t,降車地点緯度=dlat,降車地点経度=dlon,乗車地点緯度=olat,乗車地点経度=olon",
    "Japanese bikes": "返却日時=e,貸出日時=t,返却ポート緯度=dlat,返却ポート経度=dlon,貸出ポート緯度=olat,"
    "貸出ポート経度=olon,生年月日=birth",
    "Japanese date and clock": "利用時間=int,乗車日=date,乗車時刻=clock,降車緯度=dlat,降車経度=dlon,乗車緯度=olat,乗車経度=olon",
    "Seoul": "자전거번호=name,대여일시=t,대여 대여소번호=id,대여 대여소명=name,대여점위도=olat,대여점경도=olon,"
    "반납일시=e,반납대여소번호=id,반납대여소명=name,반납점위도=dlat,반납점경도=dlon,이용시간=int,이용거리=int",
    "Daejeon": "자전거번호=name,대여일시=t,대여_대여소ID=name,대여_대여소명=name,대여_X좌표=olon,대여_Y좌표=olat,"
    "반납일시=e,반납_대여소ID=name,반납_X좌표=dlon,반납_Y좌표=dlat,이용시간(분)=int",
    "Korean taxi": "하차시간=e,승차시간=t,하차위도=dlat,하차경도=dlon,승차위도=olat,승차경도=olon,결제일시=later",
    "Korean departure": "도착일시=e,출발일시=t,도착지 위도=dlat,도착지 경도=dlon,출발지 위도=olat,출발지 경도=olon,"
    "등록일시=before",
}
