# ruff: noqa: RUF001 - letters of other scripts are the point
"""Calendar words: names of months and days, and what marks the halves of a day, in the languages of public data.

Words are compared in lower case and without accents. No word names two months; a test says so. Croatian is left out, for its
listopad is October, and November in Czech and Polish.
"""

import unicodedata
from typing import Final

# Twelve entries a language, forms of one month divided by blanks. Short forms may have a point behind.
MONTHS: Final[dict[str, str]] = {
    "English": "january jan, february feb, march mar, april apr, may, june jun, july jul, august aug, september sept sep, "
    "october oct, november nov, december dec",
    "Spanish": "enero ene, febrero feb, marzo mar, abril abr, mayo may, junio jun, julio jul, agosto ago, "
    "septiembre setiembre sept sep set, octubre oct, noviembre nov, diciembre dic",
    "Portuguese": "janeiro jan, fevereiro fev, março mar, abril abr, maio mai, junho jun, julho jul, agosto ago, setembro set, "
    "outubro out, novembro nov, dezembro dez",
    "French": "janvier janv jan, février févr fév fevr, mars, avril avr, mai, juin, juillet juil, août aoû, septembre sept, "
    "octobre oct, novembre nov, décembre déc",
    "Italian": "gennaio gen, febbraio feb, marzo mar, aprile apr, maggio mag, giugno giu, luglio lug, agosto ago, "
    "settembre set sett, "
    "ottobre ott, novembre nov, dicembre dic",
    "German": "januar jänner jan jän, februar feber feb, märz mär mrz maerz, april apr, mai, juni jun, juli jul, august aug, "
    "september sept sep, oktober okt, november nov, dezember dez",
    "Dutch": "januari jan, februari feb, maart mrt, april apr, mei, juni jun, juli jul, augustus aug, september sept "
    "sep, oktober okt, "
    "november nov, december dec",
    "Catalan": "gener gen, febrer febr, març, abril abr, maig, juny, juliol, agost ag, setembre set, octubre oct, novembre nov, "
    "desembre des",
    "Polish": "styczeń stycznia sty, luty lutego lut, marzec marca mar, kwiecień kwietnia kwi, maj maja, czerwiec czerwca cze, "
    "lipiec lipca lip, sierpień sierpnia sie, wrzesień września wrz, październik października paź, listopad listopada lis, "
    "grudzień grudnia gru",
    "Czech": "leden ledna led, únor února úno, březen března bře, duben dubna dub, květen května kvě, červen června čvn, "
    "červenec července čvc, srpen srpna srp, září zář, říjen října říj, listopad listopadu lis, prosinec prosince pro",
    "Slovak": "január januára, február februára, marec, apríl apríla, máj mája, jún júna, júl júla, august augusta, "
    "september septembra, október októbra, november novembra, december decembra",
    "Danish": "januar jan, februar feb, marts, april apr, maj, juni jun, juli jul, august aug, september sep, oktober okt, "
    "november nov, december dec",
    "Norwegian": "januar jan, februar feb, mars mar, april apr, mai, juni jun, juli jul, august aug, september sep, oktober okt, "
    "november nov, desember des",
    "Swedish": "januari jan, februari febr feb, mars mar, april apr, maj, juni jun, juli jul, augusti aug, september sept sep, "
    "oktober okt, november nov, december dec",
    "Finnish": "tammikuu tammikuuta, helmikuu helmikuuta, maaliskuu maaliskuuta, huhtikuu huhtikuuta, toukokuu toukokuuta, "
    "kesäkuu kesäkuuta, heinäkuu heinäkuuta, elokuu elokuuta, syyskuu syyskuuta, lokakuu lokakuuta, marraskuu marraskuuta, "
    "joulukuu joulukuuta",
    "Romanian": "ianuarie ian, februarie, martie, aprilie, mai, iunie iun, iulie iul, august, septembrie, octombrie, "
    "noiembrie noi, "
    "decembrie",
    "Hungarian": "január, február, március márc, április ápr, május máj, június jún, július júl, augusztus, szeptember szept, "
    "október, november, december",
    "Turkish": "ocak, şubat, mart, nisan, mayıs, haziran, temmuz, ağustos, eylül, ekim, kasım, aralık",
    "Russian": "января январь янв, февраля февраль фев февр, марта март мар, апреля апрель апр, мая май, июня июнь "
    "июн, июля июль июл, "
    "августа август авг, сентября сентябрь сен сент, октября октябрь окт, ноября ноябрь ноя нояб, декабря декабрь дек",
}
DAYS: Final[dict[str, str]] = {
    "English": "monday mon tuesday tues tue wednesday weds wed thursday thurs thur thu friday fri saturday sat sunday sun",
    "Spanish": "lunes lun martes mar miércoles mié jueves jue viernes vie sábado sáb domingo dom",
    "Portuguese": "segunda-feira seg terça-feira ter quarta-feira qua quinta-feira qui sexta-feira sex segunda terça "
    "quarta quinta sexta",
    "French": "lundi mardi mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim",
    "Italian": "lunedì martedì mercoledì giovedì gio venerdì sabato sab domenica",
    "German": "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sa sonnabend sonntag so",
    "Dutch": "maandag ma dinsdag woensdag wo donderdag vrijdag vr zaterdag za zondag zo",
    "Polish": "poniedziałek pon wtorek wto wt środa śro śr czwartek czw piątek pią pt sobota sob niedziela nie niedz",
    "Czech": "pondělí po úterý út středa st čtvrtek čt pátek pá sobota neděle ne",
    "Nordic": "mandag man tirsdag tirs tir onsdag ons torsdag tors tor fredag fre lørdag lør søndag søn "
    "måndag mån tisdag tis lördag lör söndag sön",
    "Finnish": "maanantai tiistai ti keskiviikko ke torstai to perjantai pe lauantai la sunnuntai su",
    "Russian": "понедельник пн вторник вт среда ср четверг чт пятница пт суббота сб воскресенье вс",
}
# What stands before or behind a clock time of twelve hours.
MORNING: Final = "上午 午前 오전 凌晨 早上 清晨 πμ π.μ. öö дп"
EVENING: Final = "下午 午後 오후 中午 晚上 傍晚 μμ μ.μ. ös пп"
# Words that lead from a date to a clock time, and those that follow one.
AT: Final = "at um kl kl. klo à a las a les às as alle alle ore ore om godz godz. o godz. o v ve ved den"
HOURS: Final = "uhr hrs hr hs h uur t"

_OTHER_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "ß": "s"})


def fold(text: str) -> str:
    """Return a word in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_OTHER_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def list_months() -> dict[str, int]:
    """Map every folded month word to the month's number."""
    return {
        fold(word): number
        for names in MONTHS.values()
        for number, forms in enumerate(names.split(","), start=1)
        for word in forms.split()
    }


def list_days() -> list[str]:
    """List every folded word for a day of the week, the longest first."""
    return sorted({fold(word) for words in DAYS.values() for word in words.split()}, key=lambda word: (-len(word), word))
