"""Which column of a file is which field of a lead: by the names that people give them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

# Beside the fields of a lead: `budget` is one amount or a range, `custom` keeps the cell under
# its header, and an empty name leaves the column out.
CUSTOM, LEFT_OUT = "custom", ""
_NAMES = """
email: email, e-mail, mail, email address, e-mail address, mail address, work email,
  business email, primary email, contact email, email 1, emailadresse, e-mail-adresse,
  mailadresse, adresse e-mail, adresse mail, adresse électronique, courriel,
  correo, correo electrónico, email adres, e-mailadres, indirizzo email,
  posta elettronica, endereço de email, adres e-mail, epost, e-postadress, sähköposti,
  электронная почта, почта, メールアドレス, 邮箱, 电子邮件
phone: phone, phone number, telephone, telephone number, tel, tel., tel no, mobile, mobile phone,
  mobile number, cell, cell phone, phone 1, work phone, business phone, direct phone,
  telefon, telefonnummer, telefonnr, handy, handynummer, mobil, mobilnummer,
  mobiltelefon, rufnummer,
  téléphone, numéro de téléphone, portable, téléphone portable, teléfono, móvil,
  celular, teléfono móvil, telefono, cellulare, telefoon, telefoonnummer, mobiel, telefone,
  telemóvel, numer telefonu, puhelin, телефон, номер телефона, 電話番号, 电话
first_name: first name, firstname, given name, forename, fname, vorname, prénom, nombre, nome,
  voornaam, primeiro nome, imię, förnamn, fornavn, etunimi, имя, 名
last_name: last name, lastname, surname, family name, lname, nachname, familienname, zuname,
  nom de famille, nom, apellido, apellidos, cognome, achternaam, sobrenome, apelido, nazwisko,
  efternamn, etternavn, sukunimi, фамилия, 姓
name: name, full name, fullname, contact, contact name, lead name, person, display name,
  vollständiger name, vor- und nachname, ansprechpartner, kontakt, nom complet, nombre completo,
  nome completo, nome e cognome, volledige naam, naam, imię i nazwisko, фио, 氏名, 姓名
title: title, job title, position, headline, jobtitel, stellenbezeichnung, titel, berufsbezeichnung,
  intitulé du poste, poste, puesto, cargo, titolo, posizione, functie, functietitel,
  stanowisko, должность, 役職, 职位
role: role, function, job role, department, job function, rolle, funktion, abteilung,
  rôle, fonction, département, rol, función, departamento, ruolo, funzione, afdeling, dział
seniority: seniority, seniority level, level, management level, senioritätsstufe, hierarchieebene,
  ancienneté, niveau, niveau hiérarchique, antigüedad, nivel, anzianità, livello, senioriteit
company_name: company, company name, organization, organisation, organization name, employer,
  account name, account, business, business name, firma, firmenname, unternehmen,
  unternehmensname, arbeitgeber, entreprise, société, nom de l'entreprise, empresa,
  nombre de la empresa, compañía, azienda, società, nome azienda, bedrijf, bedrijfsnaam,
  nome da empresa, przedsiębiorstwo, nazwa firmy, företag, yritys, компания, 会社名, 公司
company_website: website, company website, web, site, url, company url, web site, homepage, domain,
  company domain, webseite, internetseite, firmenwebsite, site web, site internet, sitio web,
  página web, sito, sito web, strona internetowa, strona www, сайт, 网站
industry: industry, sector, branch, vertical, branche, wirtschaftszweig, secteur,
  secteur d'activité, industrie, sector de actividad, industria, settore, bedrijfstak,
  setor, branża, bransch, отрасль, 業種, 行业
linkedin_url: linkedin, linkedin url, linkedin profile, linkedin profile url, linkedin link,
  person linkedin url, profile url, li url, linkedin-profil, profil linkedin, perfil linkedin,
  perfil de linkedin, profilo linkedin, linkedin profiel
city: city, town, location city, person city, stadt, ort, wohnort, ville, ciudad, localidad, città,
  stad, plaats, woonplaats, cidade, miasto, kaupunki, город, 市, 城市
region: region, state, province, county, state/province, bundesland, kanton, région, département
  (lieu), région/état, región, provincia, regione, provincie, estado, województwo, регион, область
country: country, country/region, location country, land, staat, pays, país, paese, kraj, maa,
  страна, 国, 国家
time_zone: time zone, timezone, tz, zeitzone, fuseau horaire, zona horaria, fuso orario, tijdzone,
  fuso horário, strefa czasowa
language: language, lang, locale, preferred language, sprache, langue, idioma, lingua, taal, język,
  språk, язык
fit_score: fit score, fit, score, lead score, icp score, rating, bewertung, punkte, puntuación,
  punteggio, pontuação
budget: budget, price range, budget range, preisrahmen, preisspanne, gamme de prix, presupuesto,
  rango de precio, orçamento, бюджет
budget_min: budget min, min budget, minimum budget, budget from, min price, price min, budget von,
  mindestbudget, budget ab, budget minimum, presupuesto mínimo, budget minimo, orçamento mínimo
budget_max: budget max, max budget, maximum budget, budget to, max price, price max, budget bis,
  höchstbudget, maximalbudget, budget maximum, presupuesto máximo, budget massimo, orçamento máximo
beds: beds, bedrooms, number of bedrooms, bed, br, schlafzimmer, zimmer, chambres, dormitorios,
  habitaciones, camere, camere da letto, slaapkamers, quartos, sypialnie
areas: areas, area, neighborhoods, neighbourhoods, districts, preferred areas, locations, gebiete,
  stadtteile, wunschlagen, quartiers, zones, zonas, barrios, zone, quartieri, wijken
status: status, lead status, stage, statut, estado del lead, stato
location_moves: location moves, moves, relocations, location history, moved, umzüge, wohnortwechsel,
  déménagements, mudanzas, traslochi
job_changes: job changes, job change, career changes, employment history, job history,
  jobwechsel, stellenwechsel, changements de poste, cambios de trabajo, cambi di lavoro
source: source, lead source, origin, channel, quelle, herkunft, origine, fuente, origen, fonte, bron
consent: consent, legal basis, opt-in, opt in, gdpr, gdpr consent, einwilligung, rechtsgrundlage,
  consentement, consentimiento, consenso, toestemming
"""


def plain(name: str) -> str:
    """Without case, accents, spaces and punctuation: `E-Mail Adresse` is `emailadresse`."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c)
    )
    return re.sub(r"[\W_]+", "", bare)


def _read_names() -> dict[str, str]:
    known: dict[str, str] = {}
    for entry in re.split(r"\n(?=\w+:)", _NAMES.strip()):
        field, _, names = entry.partition(":")
        for name in [field, *names.split(",")]:
            known.setdefault(plain(name), field)
    return known


KNOWN_NAMES = _read_names()
FIELDS = tuple(dict.fromkeys(KNOWN_NAMES.values()))


def unique(headers: Sequence[str]) -> list[str]:
    """A name for each column: an empty one gets its number, a second one `Email (2)`."""
    names: list[str] = []
    for number, header in enumerate(headers, start=1):
        shown = "".join(c if c.isprintable() else " " for c in header)
        name = wanted = " ".join(shown.split())[:200] or f"Column {number}"
        turn = 2
        while name in names:
            name, turn = f"{wanted} ({turn})", turn + 1
        names.append(name)
    return names


def propose(headers: Sequence[str]) -> dict[str, str]:
    """A field for each header that is known; of two for one field the first has it."""
    mapping: dict[str, str] = {}
    for header in headers:
        field = KNOWN_NAMES.get(plain(header))
        if field and field not in mapping.values():
            mapping[header] = field
    return mapping


def problems_of(mapping: Mapping[str, str | None], headers: Sequence[str] | None) -> list[str]:
    """What is wrong with a mapping that somebody wrote; `headers` when the file is known."""
    wrong = [
        f"{header!r} is mapped to {field!r}: use one of {', '.join(FIELDS)}, or custom, or null"
        for header, field in mapping.items()
        if field and field not in {*FIELDS, CUSTOM}
    ]
    if headers is not None:
        wrong += [
            f"The file has no column {header!r}, it has {', '.join(headers)}"
            for header in mapping
            if match(header, headers) is None
        ]
    taken = [field for field in mapping.values() if field and field != CUSTOM]
    wrong += [
        f"Two columns are mapped to {field!r}: leave one out"
        for field in sorted({it for it in taken if taken.count(it) > 1})
    ]
    return wrong


def match(name: str, headers: Sequence[str]) -> str | None:
    """The header that is meant, though case, spaces or accents may differ."""
    if name in headers:
        return name
    return next((it for it in headers if plain(it) == plain(name)), None)


def combine(
    proposed: Mapping[str, str], wanted: Mapping[str, str | None], headers: Sequence[str]
) -> dict[str, str]:
    """The proposal, changed by what somebody wants. Their word takes a field from the proposal."""
    chosen = {h: field or LEFT_OUT for name, field in wanted.items() if (h := match(name, headers))}
    taken = set(chosen.values()) - {CUSTOM, LEFT_OUT}
    kept = {h: field for h, field in proposed.items() if h not in chosen and field not in taken}
    return kept | chosen
