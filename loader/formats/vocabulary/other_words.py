"""Other words: those of the vocabulary that give a column no role of a trip, by language (words.py has the others)."""

from collections.abc import Mapping
from typing import Final

OTHER_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    # A time that is no trip's start, though it may lie near to it: taken only where the file has no other, and said so.
    "before the trip": {
        "English": "expected estimated request requested requesting order ordered booking booked book reservation "
        "reserved created create "
        "creation scheduled planned accepted assigned dispatched confirmed called call offer offered",
        "Spanish": "solicitud solicitado pedido reserva creado creacion",
        "Portuguese": "solicitacao criado criacao",
        "French": "commande demande cree",
        "Italian": "richiesta prenotazione creato creazione ordine",
        "German": "bestellt bestellung gebucht buchung erstellt angelegt angefragt auftrag",
        "Dutch": "besteld bestelling boeking geboekt aangemaakt reservering",
        "Polish": "utworzenia utworzono zamowienia rezerwacji",
        "Czech": "vytvoreno objednavka objednano rezervace",
        "Danish, Norwegian, Swedish": "oprettet opprettet skapad bestilt bestalld bokad",
        "Finnish": "luotu tilattu varattu",
        "Chinese": "创建 創建 建立 下单 下單 预约 預約 预定 预订 訂單 订单",
        "Japanese": "作成 予約 注文 登録 受付 申込",
        "Korean": "생성 예약 주문 접수 등록 호출 신청",
    },
    # A time that says nothing of the trip: never its start.
    "not the trip": {
        "English": "update updated updates modified modification changed change insert inserted loaded imported exported "
        "export processed published settled settlement paid pay payment invoice invoiced billed billing posted birth "
        "birthday birthdate born dob age expires expiry expired expiration due rating rated review reviewed registered "
        "registration signup joined member membership file filed report reported print printed cancelled canceled deleted "
        "synced sync received ingested ingest snapshot "
        "refreshed extracted",
        "Spanish": "actualizado actualizacion modificado pago pagado nacimiento vencimiento registro facturacion",
        "Portuguese": "atualizado atualizacao pagamento nascimento vencimento",
        "French": "modifie maj paiement paye naissance facturation inscription",
        "Italian": "aggiornato aggiornamento modificato nascita scadenza",
        "German": "aktualisiert geandert geaendert anderung aenderung bezahlt zahlung abrechnung abgerechnet geburt "
        "geburtsdatum geboren rechnung",
        "Dutch": "bijgewerkt gewijzigd betaald betaling geboorte geboortedatum",
        "Polish": "aktualizacji aktualizacja modyfikacji platnosci urodzenia",
        "Czech": "aktualizace zmeneno platba narozeni",
        "Danish, Norwegian, Swedish": "opdateret oppdatert uppdaterad betalt betald fodt fodsel fodelse endret andrad",
        "Finnish": "paivitetty muokattu maksettu syntyma syntymaaika",
        "Chinese": "更新 修改 支付 付款 结算 結算 出生 生日",
        "Japanese": "変更 支払 決済 精算 生年月日 更新日",
        "Korean": "수정 결제 갱신 정산 생년월일 출생 변경",
    },
    # How long, not when.
    "duration": {
        "English": "duration elapsed seconds secs sec minutes mins min travel traveltime wait waiting delay dwell",
        "Spanish": "duracion minutos segundos",
        "Portuguese": "duracao",
        "French": "duree",
        "Italian": "durata minuti",
        "German": "dauer fahrtdauer fahrzeit minuten sekunden",
        "Dutch": "duur reistijd",
        "Polish": "trwania",
        "Czech": "doba trvani",
        "Danish, Norwegian, Swedish": "varighed varighet varaktighet",
        "Finnish": "kesto",
        "Chinese": "时长 時長 用时",
        "Japanese": "所要時間 利用時間",
        "Korean": "이용시간 소요시간 운행시간",
    },
    # The name or number of a place or thing: no position.
    "id": {
        "English": "id ids uuid guid number num no nr code key pk fk name names address zone tract block district kiosk "
        "terminal area label title neighborhood neighbourhood borough county street postcode zip stationid",
        "Spanish": "codigo numero nombre direccion barrio",
        "Portuguese": "nome endereco bairro",
        "French": "nom adresse quartier",
        "Italian": "indirizzo",
        "German": "nummer bezeichnung strasse ort bezirk kennung",
        "Dutch": "naam adres straat",
        "Polish": "nazwa numer",
        "Czech": "nazev cislo",
        "Danish, Norwegian, Swedish": "navn namn",
        "Finnish": "nimi",
        "Chinese": "编号 編號 名称 名稱 地址 号 號 名",
        "Japanese": "番号 住所 局",
        "Korean": "번호 명 이름 소명 주소",
    },
    # A row that stands for many trips.
    "count": {
        "English": "count counts cnt trips rides flow flows passengers pax riders volume weight persons people commuters jobs",
        "Spanish": "viajes cantidad pasajeros",
        "Portuguese": "viagens quantidade passageiros",
        "French": "trajets passagers deplacements",
        "Italian": "viaggi passeggeri spostamenti",
        "German": "fahrten anzahl fahrgaste fahrgaeste wege",
        "Dutch": "ritten aantal reizigers",
        "Polish": "liczba przejazdy pasazerowie",
        "Czech": "pocet cestujici",
        "Danish, Norwegian, Swedish": "antal antall ture reiser resor",
        "Finnish": "maara lukumaara matkat",
        "Chinese": "数量 數量 人数 人次 次数",
        "Japanese": "件数 台数",
        "Korean": "건수 인원 승객수 통행량 이용건수",
    },
    # Words that say nothing about the role and cost nothing either.
    "neutral": {
        "English": "actual real effective tpep lpep trip ride station centroid gps local utc gmt the of journey stn "
        "off up wgs 84 epsg 4326 dd "
        "deg degrees degree ms in route geographic decimal float double string wgs84 value",
        "Spanish": "viaje recorrido estacion geografica ciclo del la el lugar",
        "Portuguese": "viagem estacao",
        "French": "trajet voyage heures l du des le gare lieu",
        "Italian": "viaggio stazione di della dell",
        "German": "fahrt haltestelle der die geografische geographische grad",
        "Dutch": "rit reis",
        "Polish": "geograficzna stacji stacja przejazdu",
        "Czech": "zemepisna stanice jizdy jizda",
        "Danish, Norwegian, Swedish": "tur resa reise stasjon",
        "Finnish": "matka matkan asema aseman",
        "Chinese": "点 點 站点 站點 地 的 站",
        "Japanese": "地点 駅 停留所 の ポート",
        "Korean": "점 정류장 정류소 대여소 지 역",
    },
}
