"""Coordinate reference systems that public data is published in, besides UTM: EPSG code to west, south, east, north.

Bounds hold each system's area of use, rounded outward to a kilometre, so that a file's middle rules most systems out before PROJ
is asked. Units: of the system (metres, or feet in some of the United States).
"""

from typing import Final

KNOWN_CRS: Final[dict[int, tuple[int, int, int, int]]] = {
    3857: (-20_038_000, -20_049_000, 20_038_000, 20_049_000),  # WGS 84 / Pseudo-Mercator
    3035: (-147_000, 198_000, 7_825_000, 6_972_000),  # ETRS89-extended / LAEA Europe
    27700: (-105_000, -17_000, 689_000, 1_257_000),  # OSGB36 / British National Grid
    2154: (-379_000, 6_005_000, 1_321_000, 7_236_000),  # RGF93 v1 / Lambert-93
    28992: (0, 306_000, 285_000, 638_000),  # Amersfoort / RD New
    31370: (14_000, 20_000, 298_000, 247_000),  # BD72 / Belgian Lambert 72
    3812: (514_000, 520_000, 798_000, 747_000),  # ETRS89 / Belgian Lambert 2008
    2056: (2_485_000, 1_074_000, 2_838_000, 1_300_000),  # CH1903+ / LV95
    21781: (485_000, 74_000, 838_000, 300_000),  # CH1903 / LV03
    31287: (107_000, 277_000, 695_000, 576_000),  # MGI / Austria Lambert
    31256: (-116_000, 157_000, 65_000, 433_000),  # MGI / Austria GK East
    5514: (-952_000, -1_354_000, -159_000, -911_000),  # S-JTSK / Krovak East North
    2180: (144_000, 125_000, 877_000, 909_000),  # ETRF2000-PL / CS92
    23700: (421_000, 43_000, 950_000, 367_000),  # HD72 / EOV
    3844: (116_000, 215_000, 1_019_000, 772_000),  # Pulkovo 1942(58) / Stereo70
    3794: (373_000, 31_000, 626_000, 195_000),  # Slovenia 1996 / Slovene National Grid
    3765: (247_000, 4_688_000, 742_000, 5_161_000),  # HTRS96 / Croatia TM
    2100: (94_000, 3_859_000, 893_000, 4_632_000),  # GGRS87 / Greek Grid
    3763: (-128_000, -302_000, 174_000, 279_000),  # ETRS89 / Portugal TM06
    25829: (225_000, 3_863_000, 775_000, 8_229_000),  # ETRS89 / UTM zone 29N
    25830: (227_000, 3_901_000, 774_000, 8_938_000),  # ETRS89 / UTM zone 30N
    25831: (233_000, 4_094_000, 768_000, 9_157_000),  # ETRS89 / UTM zone 31N
    25832: (231_000, 4_042_000, 770_000, 9_331_000),  # ETRS89 / UTM zone 32N
    25833: (225_000, 3_849_000, 776_000, 9_331_000),  # ETRS89 / UTM zone 33N
    25834: (225_000, 3_846_000, 776_000, 9_331_000),  # ETRS89 / UTM zone 34N
    3006: (181_000, 6_090_000, 1_087_000, 7_690_000),  # SWEREF99 TM
    3067: (43_000, 6_522_000, 765_000, 7_796_000),  # ETRS89 / TM35FIN(E,N)
    3301: (282_000, 6_375_000, 752_000, 6_659_000),  # Estonian Coordinate System of 1997
    3059: (189_000, 169_000, 767_000, 450_000),  # LKS-92 / Latvia TM
    3346: (172_000, 5_972_000, 686_000, 6_269_000),  # LKS94 / Lithuania TM
    2157: (421_000, 515_000, 786_000, 969_000),  # IRENET95 / Irish Transverse Mercator
    29902: (21_000, 15_000, 345_000, 468_000),  # TM65 / Irish Grid
    3003: (1_225_000, 4_042_000, 1_769_000, 5_215_000),  # Monte Mario / Italy zone 1
    3004: (2_245_000, 3_846_000, 2_886_000, 5_225_000),  # Monte Mario / Italy zone 2
    31466: (2_489_000, 5_441_000, 2_611_000, 5_966_000),  # DHDN / 3-degree Gauss-Kruger zone 2
    31467: (3_386_000, 5_236_000, 3_615_000, 6_108_000),  # DHDN / 3-degree Gauss-Kruger zone 3
    31468: (4_386_000, 5_250_000, 4_615_000, 6_053_000),  # DHDN / 3-degree Gauss-Kruger zone 4
    2263: (911_000, 110_000, 1_597_000, 421_000),  # NAD83 / New York Long Island (ftUS)
    3435: (710_000, 143_000, 1_368_000, 2_128_000),  # NAD83 / Illinois East (ftUS)
    2227: (5_823_000, 1_724_000, 7_345_000, 2_457_000),  # NAD83 / California zone 3 (ftUS)
    2230: (5_976_000, 1_772_000, 7_126_000, 2_342_000),  # NAD83 / California zone 6 (ftUS)
    2229: (5_509_000, 1_371_000, 7_755_000, 2_504_000),  # NAD83 / California zone 5 (ftUS)
    2285: (654_000, 29_000, 2_591_000, 773_000),  # NAD83 / Washington North (ftUS)
    2249: (107_000, 2_628_000, 1_106_000, 3_156_000),  # NAD83 / Massachusetts Mainland (ftUS)
    2272: (1_186_000, 137_000, 2_821_000, 688_000),  # NAD83 / Pennsylvania South (ftUS)
    2283: (11_031_000, 6_599_000, 12_059_000, 7_221_000),  # NAD83 / Virginia North (ftUS)
    2277: (290_000, 9_883_000, 4_464_000, 10_855_000),  # NAD83 / Texas Central (ftUS)
    2278: (28_000, 13_103_000, 3_663_000, 14_204_000),  # NAD83 / Texas South Central (ftUS)
    2236: (213_000, 27_000, 999_000, 2_365_000),  # NAD83 / Florida East (ftUS)
    2926: (654_000, 29_000, 2_591_000, 773_000),  # NAD83(HARN) / Washington North (ftUS)
    26918: (205_000, 3_128_000, 795_000, 9_330_000),  # NAD83 / UTM zone 18N
    26917: (194_000, 2_633_000, 806_000, 9_330_000),  # NAD83 / UTM zone 17N
    26916: (194_000, 2_650_000, 806_000, 9_330_000),  # NAD83 / UTM zone 16N
    26910: (212_000, 3_378_000, 789_000, 9_084_000),  # NAD83 / UTM zone 10N
    3347: (2_093_000, 200_000, 10_437_000, 5_741_000),  # NAD83 / Statistics Canada Lambert
    6677: (-140_000, -742_000, 125_000, 221_000),  # JGD2011 / Japan Plane Rectangular CS IX
    6674: (-107_000, -289_000, 93_000, 38_000),  # JGD2011 / Japan Plane Rectangular CS VI
    5179: (531_000, 957_000, 1_664_000, 2_275_000),  # KGD2002 / Unified CS
    5186: (106_000, 60_000, 294_000, 638_000),  # KGD2002 / Central Belt 2010
    3826: (144_000, 2_257_000, 361_000, 2_957_000),  # TWD97 / TM2 zone 121
    2326: (793_000, 799_000, 871_000, 849_000),  # Hong Kong 1980 Grid System
    3414: (0, 12_000, 55_000, 51_000),  # SVY21 / Singapore TM
    2193: (987_000, 4_736_000, 2_120_000, 6_227_000),  # NZGD2000 / New Zealand Transverse Mercator 2000
    28355: (170_000, 4_358_000, 831_000, 8_980_000),  # GDA94 / MGA zone 55
    28356: (175_000, 3_460_000, 825_000, 8_467_000),  # GDA94 / MGA zone 56
    28350: (173_000, 5_731_000, 828_000, 8_667_000),  # GDA94 / MGA zone 50
    31983: (166_000, 6_289_000, 834_000, 10_568_000),  # SIRGAS 2000 / UTM zone 23S
    32719: (166_000, 1_116_000, 834_000, 10_000_000),  # WGS 84 / UTM zone 19S
    4527: (39_345_000, 2_500_000, 39_655_000, 5_529_000),  # CGCS2000 / 3-degree Gauss-Kruger zone 39
    2039: (119_000, 373_000, 267_000, 799_000),  # Israel 1993 / Israeli TM Grid
}
