"""Vocabulary: the words of column names and what they mean, by language.

Words are folded (`fold`): no case, no accents, `ø` as `o`, `ß` as `ss`. A word has one meaning, whatever the language. The table
in docs/file-formats.md is made from this one: `python -m loader.formats.vocabulary.table`.

    MEANINGS["llegada"] == "destination"
"""

import unicodedata
from collections.abc import Mapping
from typing import Final

from loader.formats.vocabulary.other_words import OTHER_WORDS

# Letters that Unicode does not take apart into a plain letter and an accent.
_PLAIN_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})

VOCABULARY: Final[Mapping[str, Mapping[str, str]]] = {
    # Which end of a trip. The words of `origin` and `destination` decide before all others.
    "origin": {
        "English": "residence origin orig pickup pick start starting started begin begins beginning began dep depart departure "
        "departed departing source src unlock unlocked unlocking checkout boarding board boarded embark opened open "
        "opening collection collected outset home entry enter entered tapin since undock undocked",
        "Spanish": "origen inicio salida partida retiro recogida comienzo inicial desenganche ascenso abordaje subida",
        "Portuguese": "origem saida inicio embarque retirada",
        "French": "depart origine debut montee prise provenance",
        "Italian": "partenza inizio ritiro prelievo",
        "German": "abfahrt beginn anfang abholung herkunft quelle einstieg startort startzeit startpunkt entleihe "
        "entleihung entnahme abholort",
        "Dutch": "vertrek herkomst ophaal ophaallocatie opstap startlocatie startpunt",
        "Polish": "poczatek poczatkowy poczatkowa poczatkowe odjazd odjazdu zrodlo wynajmu rozpoczecia rozpoczecie wyjazd",
        "Czech": "zacatek odjezd vychozi pocatek pocatecni nastup vyzvednuti",
        "Danish, Norwegian, Swedish": "afgang avgang starttid starttidspunkt udgangspunkt utgangspunkt avresa",
        "Finnish": "lahto lahtoaika lahtoasema alku alkuaika",
        "Chinese": "出发 出發 起点 起點 起始 始发 始發 开始 開始 上车 上車 借车 借車 取车 取車 开锁 開鎖 发车 發車 出发地 出發地",
        "Japanese": "乗車 貸出 始点 出発地 出発",
        "Korean": "출발 출발지 승차 시작 출발점 탑승",
    },
    "destination": {
        "English": "workplace completed complete destination dest dst dropoff drop end ending ended ends finish "
        "finished finishing "
        "arrival arrive arrived arriving arr target return returned returning returns lock locked locking checkin "
        "alighting alight alighted disembark closed close closing delivery delivered work exit exited tapout until sink "
        "docked redock dropped",
        "Spanish": "destino llegada arribo final fin termino enganche bajada descenso devolucion desembarque",
        "Portuguese": "chegada fim desembarque devolucao",
        "French": "arrivee arrivees descente depose restitution retour",
        "Italian": "arrivo destinazione fine consegna riconsegna rilascio",
        "German": "retour ziel ankunft ende zielort zielpunkt endzeit endort endpunkt ruckgabe rueckgabe abgabe ausstieg "
        "schluss abstellung",
        "Dutch": "retour aankomst bestemming eind einde eindtijd eindlocatie eindpunt afzet uitstap retourlocatie",
        "Polish": "koniec koncowy koncowa koncowe przyjazd przyjazdu cel docelowy docelowa zwrotu zwrot zakonczenia zakonczenie",
        "Czech": "konec konecny prijezd cil cilova cilovy vystup vraceni",
        "Danish, Norwegian, Swedish": "ankomst slut slutt sluttid slutttid sluttidspunkt slutttidspunkt destinasjon "
        "ankomsttid malplats",
        "Finnish": "paluu paluuaika paluuasema saapuminen saapumisaika maaranpaa loppu loppuaika palautus",
        "Chinese": "到达 到達 终点 終點 结束 結束 下车 下車 还车 還車 目的地 抵达 抵達 关锁 關鎖 终止 終止",
        "Japanese": "到着 降車 返却 終点 目的地 終了 到着地",
        "Korean": "도착 도착지 하차 반납 종료 목적지 도착점",
    },
    # The same, unless another word of the name says which end: `rent_start`, `from_stop`, `last_pickup`.
    "origin hint": {
        "English": "from pu rent rented rental hire hired leave left leaving first initial outbound unload",
        "Spanish": "desde prestamo alquiler",
        "Portuguese": "emprestimo aluguel desde",
        "French": "depuis emprunt",
        "Italian": "noleggio",
        "German": "von ausleihe ausleih entleih anmietung leihbeginn miete",
        "Dutch": "uitgifte huur",
        "Polish": "wypozyczenia wypozyczenie",
        "Czech": "vypujcka vypujceni",
        "Danish, Norwegian, Swedish": "fra fran",
        "Finnish": "mista",
        "Chinese": "租车 租車 借 租借 起",
        "Japanese": "発 利用開始 始",
        "Korean": "대여 대여점",
    },
    "destination hint": {
        "English": "to do stop last inbound into",
        "Spanish": "hasta",
        "Portuguese": "ate para",
        "French": "vers jusque",
        "Italian": "verso",
        "German": "nach bis",
        "Dutch": "naar inname tot",
        "Danish, Norwegian, Swedish": "til till",
        "Finnish": "mihin minne",
        "Chinese": "还 還 终 終",
        "Japanese": "着 利用終了 終",
        "Korean": "반납점",
    },
    # Letters and short words; only where every other word of the name is known, too.
    "origin letter": {
        "English": "o a s",
        "Spanish": "de",
        "Portuguese": "da",
        "German": "ab",
        "Italian": "dal dalla",
        "Dutch": "van",
        "Polish": "od",
    },
    "destination letter": {
        "English": "d b e",
        "Italian": "al alla",
        "German": "an",
    },
    # What a column holds.
    "longitude": {
        "English": "longitude lng lon long",
        "Spanish": "longitud",
        "Italian": "longitudine",
        "German": "lange laenge langengrad laengengrad",
        "Dutch": "lengtegraad",
        "Polish": "dlugosc",
        "Czech": "delka",
        "Danish, Norwegian, Swedish": "laengdegrad lengdegrad langdgrad",
        "Finnish": "pituusaste pituus",
        "Chinese": "经度 經度 经 經",
        "Japanese": "経度",
        "Korean": "경도",
    },
    "latitude": {
        "English": "latitude lat",
        "Spanish": "latitud",
        "Italian": "latitudine",
        "German": "breite breitengrad",
        "Dutch": "breedtegraad",
        "Polish": "szerokosc",
        "Czech": "sirka",
        "Danish, Norwegian, Swedish": "breddegrad breddgrad",
        "Finnish": "leveysaste leveys",
        "Chinese": "纬度 緯度 纬 緯",
        "Korean": "위도",
    },
    "x": {
        "English": "x",
    },
    "y": {
        "English": "y",
    },
    "point": {
        "English": "point coord coords coordinate coordinates location loc position pos geom geometry wkt geo latlng "
        "lonlat latlon lnglat geolocation geopoint geojson geohash geohashed",
        "Spanish": "coordenada coordenadas ubicacion geolocalizacion punto",
        "Portuguese": "ponto localizacao",
        "French": "coordonnees localisation",
        "Italian": "coordinata posizione",
        "German": "koordinate koordinaten standort",
        "Dutch": "coordinaat coordinaten locatie",
        "Polish": "wspolrzedne lokalizacja",
        "Czech": "souradnice poloha",
        "Danish, Norwegian, Swedish": "koordinat koordinater posisjon",
        "Finnish": "koordinaatit sijainti",
        "Chinese": "坐标 座標 位置 经纬度 經緯度",
        "Korean": "좌표 위치",
    },
    "time": {
        "English": "time times datetime timestamp at ts dt dttm when epoch unixtime unix clock moment datetimes hhmm hhmmss",
        "Spanish": "hora fechahora horario tiempo",
        "Portuguese": "datahora hora tempo",
        "French": "heure horodatage horodate temps",
        "Italian": "ora orario dataora tempo",
        "German": "zeit uhrzeit zeitpunkt zeitstempel",
        "Dutch": "tijd tijdstip",
        "Polish": "czas godzina",
        "Czech": "cas",
        "Danish, Norwegian, Swedish": "tid tidspunkt tidpunkt klokkeslaet klokkeslett klockslag tidsstempel",
        "Finnish": "aika kello kellonaika aikaleima",
        "Chinese": "时间 時間 时刻 時刻",
        "Japanese": "日時 時",
        "Korean": "일시 시간 시각 일자시간",
    },
    "date": {
        "English": "date day on dates",
        "Spanish": "fecha dia",
        "Portuguese": "data",
        "French": "jour",
        "Italian": "giorno",
        "German": "datum",
        "Polish": "dzien dnia",
        "Czech": "dne",
        "Danish, Norwegian, Swedish": "dato",
        "Finnish": "paiva paivamaara pvm",
        "Chinese": "日期",
        "Japanese": "日付 年月日 日",
        "Korean": "일자 날짜",
    },
    "hour": {
        "English": "hour hours hr hod",
        "German": "stunde",
        "Dutch": "uur",
        "Polish": "godz",
        "Czech": "hodina",
        "Danish, Norwegian, Swedish": "timme",
        "Finnish": "tunti",
        "Chinese": "小时 小時",
        "Korean": "시간대",
    },
    "region": {
        "English": "region city market",
    },
    "datasource": {
        "English": "datasource dataset",
    },
    **OTHER_WORDS,
}

MEANINGS: Final[Mapping[str, str]] = {
    word: meaning for meaning, languages in VOCABULARY.items() for words in languages.values() for word in words.split()
}

# Words that mean something together only.
PHRASES: Final[Mapping[tuple[str, str], str]] = {
    ("check", "in"): "checkin",
    ("check", "out"): "checkout",
    ("time", "in"): "checkin",
    ("time", "out"): "checkout",
    ("tap", "in"): "tapin",
    ("tap", "on"): "tapin",
    ("tap", "out"): "tapout",
    ("tap", "off"): "tapout",
    ("mise", "jour"): "maj",
}

# Bike shares check a bike out first, public transport and hotels check in first: only times can tell which a file means.
CONTESTED: Final = ("checkin", "checkout")


def fold(text: str) -> str:
    """Return text without case, accents and forms of letters: `Départ` → `depart`, `Rückgabe` → `ruckgabe`."""
    taken_apart = unicodedata.normalize("NFKD", text.casefold())
    # Accents of Latin letters only: the marks of Japanese and the parts of Korean syllables are letters of their own.
    plain = "".join(letter for letter in taken_apart if not "\u0300" <= letter <= "\u036f")
    return unicodedata.normalize("NFKC", plain).translate(_PLAIN_LETTERS)
