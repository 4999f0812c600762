# ruff: noqa: E501 - a sentence stays on one line, so that the two languages can be compared
"""Every sentence of the board, in English and in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["LANGUAGES", "WORDS", "Language", "negotiate", "say"]

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")

WORDS: dict[str, tuple[str, str]] = {
    # frame
    "tagline": ("look-out for AI services", "vigie des services d'IA"),
    "skip": ("Skip to content", "Aller au contenu"),
    "menu": ("Pages", "Pages"),
    "overview": ("Overview", "Vue d'ensemble"),
    "logs": ("Logs", "Journaux"),
    "alerts": ("Alerts", "Alertes"),
    "mails": ("Mails", "Courriels"),
    "language": ("Language", "Langue"),
    "utc": (
        "All times are UTC. Drawn at {at}.",
        "Toutes les heures sont en UTC. Page établie à {at}.",
    ),
    # states
    "ok": ("OK", "OK"),
    "warning": ("Warning", "Attention"),
    "critical": ("Critical", "Critique"),
    "no_data": ("No data", "Sans données"),
    "insufficient": ("Too few data", "Trop peu de données"),
    "pending": ("Pending", "En attente"),
    "firing": ("Firing", "En alerte"),
    "resolved": ("Resolved", "Résolu"),
    "error": ("Error", "Erreur"),
    "open": ("Open", "Ouvert"),
    # overview
    "health": ("Health of the models", "Santé des modèles"),
    "health_caption": (
        "State of each model today, why, and its last {days} days",
        "État de chaque modèle aujourd'hui, pourquoi, et ses {days} derniers jours",
    ),
    "model": ("Model", "Modèle"),
    "state": ("State", "État"),
    "why": ("Why", "Pourquoi"),
    "last_days": ("Last {days} days", "{days} derniers jours"),
    "traffic_day": ("Predictions, 24 h", "Prédictions, 24 h"),
    "errors_day": ("Errors, 24 h", "Erreurs, 24 h"),
    "latency_now": ("p95, last hour", "p95, dernière heure"),
    "all_well": ("All figures within their limits.", "Tous les indicateurs dans leurs limites."),
    "no_health": (
        "No health yet: it is written once a day, after the first analyzed day.",
        "Pas encore d'état : il est établi chaque jour, après la première journée analysée.",
    ),
    "stale_health": (
        "Nothing since {day}: see whether the scheduler (vigie run) is alive.",
        "Rien depuis le {day} : vérifier que l'ordonnanceur (vigie run) tourne.",
    ),
    "no_contracts": (
        "No model is watched: name contracts in VIGIE_CONTRACTS, a folder or files.",
        "Aucun modèle suivi : indiquer les contrats dans VIGIE_CONTRACTS (dossier ou fichiers).",
    ),
    "and_more": ("and {n} more", "et {n} de plus"),
    "legend": ("Legend", "Légende"),
    "open_incidents": ("Open incidents", "Incidents ouverts"),
    "no_open": ("No open incident.", "Aucun incident ouvert."),
    "summary_models": ("Models", "Modèles"),
    "summary_open": ("Open incidents", "Incidents ouverts"),
    "summary_traffic": ("Predictions in 24 h", "Prédictions en 24 h"),
    "summary_critical": ("Critical", "Critiques"),
    # model
    "binary_classification": ("binary classification", "classification binaire"),
    "multiclass": ("multiclass classification", "classification multiclasse"),
    "regression": ("regression", "régression"),
    "ranking": ("ranking", "classement"),
    "text_classification": ("text classification", "classification de textes"),
    "generation": ("text generation", "génération de texte"),
    "rag": ("retrieval-augmented generation", "génération augmentée par recherche"),
    "transcription": ("transcription", "transcription"),
    "detection": ("detection", "détection"),
    "task": ("Task", "Tâche"),
    "team": ("Team", "Équipe"),
    "contract": ("Contract", "Contrat"),
    "runbook": ("Runbook", "Procédure"),
    "range": ("Time range", "Période"),
    "from": ("From", "Du"),
    "to": ("To", "Au"),
    "show": ("Show", "Afficher"),
    "from_to": ("{start} to {end}", "du {start} au {end}"),
    "by_day": ("by day", "par jour"),
    "bad_range": (
        "The range was not understood, so the last 7 days are shown. Write it as 2026-11-21T08:00, start before end.",
        "Période non comprise : les 7 derniers jours sont affichés. L'écrire 2026-11-21T08:00, le début avant la fin.",
    ),
    "key_figures": ("Key figures of the period", "Chiffres clés de la période"),
    "predictions": ("Predictions", "Prédictions"),
    "error_rate": ("Error rate", "Taux d'erreur"),
    "latency": ("Latency", "Latence"),
    "traffic": ("Traffic", "Trafic"),
    "errors": ("Errors", "Erreurs"),
    "performance": ("Performance", "Performance"),
    "coverage": ("Label coverage", "Couverture des étiquettes"),
    "drifted": ("Drifted features", "Variables en dérive"),
    "limit": ("limit {value}", "limite {value}"),
    "minimum": ("minimum {value}", "minimum {value}"),
    "of": ("of {n}", "sur {n}"),
    "band": ("95 % interval", "intervalle à 95 %"),
    "incident": ("incident", "incident"),
    "chart_summary": (
        "{title}: {name} between {low} and {high}, last {last}",
        "{title} : {name} entre {low} et {high}, dernier {last}",
    ),
    "no_traffic": (
        "No prediction was analyzed in this period: choose a longer one, or see whether the service logs.",
        "Aucune prédiction analysée sur cette période : en choisir une plus longue, ou vérifier les journaux du service.",
    ),
    "no_latency": (
        "No prediction with a duration in this period.",
        "Aucune prédiction avec une durée sur cette période.",
    ),
    "no_labels": (
        "No labels yet: they arrive up to {horizon} after a prediction.",
        "Pas encore d'étiquettes : elles arrivent jusqu'à {horizon} après une prédiction.",
    ),
    "not_published": ("Not published: {reason}.", "Non publié : {reason}."),
    "daily_week": (
        "Daily figures: the last 7 days are shown.",
        "Chiffres quotidiens : les 7 derniers jours sont affichés.",
    ),
    "drift": ("Drift of the features", "Dérive des variables"),
    "drift_caption": (
        "Each feature against its reference: PSI of the last analyzed day, corrected p-value (q), verdict, and every day",
        "Chaque variable contre sa référence : PSI du dernier jour analysé, valeur p corrigée (q), verdict, et chaque jour",
    ),
    "feature": ("Feature", "Variable"),
    "verdict": ("Verdict", "Verdict"),
    "q_value": ("q", "q"),
    "each_day": ("Each day", "Chaque jour"),
    "drift_key": ("PSI against the limit {limit}", "PSI par rapport à la limite {limit}"),
    "below_half": ("below half", "sous la moitié"),
    "below": ("below", "sous la limite"),
    "above": ("above", "au-dessus"),
    "above_twice": ("above twice", "plus du double"),
    "no_drift": (
        "No drift figures yet: they need a reference profile (vigie profile build {model}) and one analyzed day.",
        "Pas encore de dérive : il faut un profil de référence (vigie profile build {model}) et un jour analysé.",
    ),
    "quality": ("Data quality", "Qualité des données"),
    "quality_caption": (
        "Share of predictions per feature, last analyzed day and trend",
        "Part des prédictions par variable, dernier jour analysé et tendance",
    ),
    "missing": ("Missing", "Manquantes"),
    "out_of_range": ("Out of range", "Hors limites"),
    "unseen": ("Unseen", "Inconnues"),
    "mistyped": ("Mistyped", "Mauvais type"),
    "rules": ("Business rules", "Règles métier"),
    "rules_caption": (
        "Share of predictions that break a rule",
        "Part des prédictions qui enfreignent une règle",
    ),
    "no_rules": (
        "The contract declares no business rule.",
        "Le contrat ne déclare aucune règle métier.",
    ),
    "rule": ("Rule", "Règle"),
    "all_rules": ("any rule", "toutes règles"),
    "broken": ("Broken", "Enfreinte"),
    "no_quality": (
        "No quality figures in this period: they follow each analyzed day.",
        "Pas de chiffres de qualité sur cette période : ils suivent chaque jour analysé.",
    ),
    "incidents": ("Incidents", "Incidents"),
    "no_incidents": ("No incident in this period.", "Aucun incident sur cette période."),
    "see_logs": ("Logs of this model", "Journaux de ce modèle"),
    "see_lines": ("Log lines", "Lignes"),
    # incidents
    "incidents_caption": ("Incidents, newest first", "Incidents, du plus récent au plus ancien"),
    "severity": ("Severity", "Gravité"),
    "onset": ("Onset", "Début"),
    "opened": ("Opened", "Ouvert"),
    "duration": ("Duration", "Durée"),
    "peak": ("Peak", "Pire valeur"),
    "threshold": ("Limit", "Limite"),
    "past_incidents": ("Past incidents", "Incidents passés"),
    "no_past": ("No past incident.", "Aucun incident passé."),
    "transitions": ("Last changes of state", "Derniers changements d'état"),
    "transitions_caption": (
        "What the watches decided, newest first",
        "Décisions des surveillances, de la plus récente à la plus ancienne",
    ),
    "no_transitions": (
        "No change of state yet: watches run every minute (vigie run).",
        "Aucun changement d'état : les surveillances tournent chaque minute (vigie run).",
    ),
    "time": ("Time", "Heure"),
    "change": ("Change", "Changement"),
    "message": ("Message", "Message"),
    "ongoing": ("ongoing", "en cours"),
    # logs
    "search": ("Search", "Chercher"),
    "query": ("Query", "Requête"),
    "query_example": ("words, or field:value AND field:>3", "mots, ou champ:valeur AND champ:>3"),
    "query_help": ("How to search", "Comment chercher"),
    "query_words": (
        "Plain words: every word must occur in one of the main fields (ids, labels, errors, messages).",
        "Des mots simples : chacun doit figurer dans un des champs principaux (identifiants, étiquettes, erreurs, messages).",
    ),
    "query_fields": (
        "Fields and operators: a name of a field, a colon, a value; joined by AND, OR, NOT and parentheses.",
        "Champs et opérateurs : un nom de champ, deux-points, une valeur ; reliés par AND, OR, NOT et des parenthèses.",
    ),
    "all_models": ("All models", "Tous les modèles"),
    "kind": ("Lines", "Lignes"),
    "kind_all": ("All lines", "Toutes"),
    "kind_inference": ("Predictions", "Prédictions"),
    "kind_feedback": ("Labels and feedback", "Étiquettes et retours"),
    "kind_service": ("Service logs", "Journaux de service"),
    "bad_query": (
        "The query was not understood: {reason}",
        "La requête n'a pas été comprise : {reason}",
    ),
    "long_query": ("it is longer than {n} characters", "elle dépasse {n} caractères"),
    "wildcard_query": (
        "a term may not start with * or ?",
        "un terme ne peut pas commencer par * ou ?",
    ),
    "syntax_query": (
        "check quotes, parentheses and colons",
        "vérifier les guillemets, les parenthèses et les deux-points",
    ),
    "found": ("{n} lines", "{n} lignes"),
    "found_one": ("1 line", "1 ligne"),
    "slow_query": (
        "The search was cut off after {s} s: narrow the range.",
        "Recherche interrompue après {s} s : réduire la période.",
    ),
    "no_lines": (
        "No line matches: choose a longer range or fewer words.",
        "Aucune ligne ne correspond : choisir une période plus longue ou moins de mots.",
    ),
    "over_time": (
        "Lines over time, one bar per {step}",
        "Lignes dans le temps, une barre par {step}",
    ),
    "failed": ("failures", "échecs"),
    "others": ("others", "autres"),
    "results": ("Log lines, newest first", "Lignes, de la plus récente à la plus ancienne"),
    "newer": ("Newer", "Plus récentes"),
    "older": ("Older", "Plus anciennes"),
    "page": ("Page {page} of {pages}", "Page {page} sur {pages}"),
    "paging": ("Pages of results", "Pages de résultats"),
    "deep_paging": (
        "Only the first {n} lines can be paged: narrow the range.",
        "Seules les {n} premières lignes sont accessibles : réduire la période.",
    ),
    "document": ("Whole document", "Document entier"),
    # mails
    "mails_caption": (
        "Mails that the catcher received, newest first",
        "Courriels reçus par le collecteur, du plus récent au plus ancien",
    ),
    "no_mails": (
        "No mail caught yet: one comes when an incident opens or ends.",
        "Aucun courriel reçu : il en vient un quand un incident s'ouvre ou se termine.",
    ),
    "mails_off": (
        "This board shows no mails: start it with --mails DIR, the folder of the mail catcher.",
        "Cette page n'a pas de courriels : la lancer avec --mails DIR, le dossier du collecteur.",
    ),
    "subject": ("Subject", "Objet"),
    "sender": ("From", "De"),
    "receiver": ("To", "À"),
    "date": ("Date", "Date"),
    "headers": ("Headers", "En-têtes"),
    "text_part": ("Text", "Texte"),
    "html_part": ("HTML", "HTML"),
    "no_text": ("This mail has no text part.", "Ce courriel n'a pas de partie texte."),
    "no_html": ("This mail has no HTML part.", "Ce courriel n'a pas de partie HTML."),
    "mail_frame": ("HTML part of the mail, in a sandbox", "Partie HTML du courriel, isolée"),
    "no_subject": ("(no subject)", "(sans objet)"),
    "back_mails": ("All mails", "Tous les courriels"),
    # login and errors
    "login": ("Sign in", "Connexion"),
    "login_text": ("This board asks for its token.", "Cette page demande son jeton."),
    "token": ("Token", "Jeton"),
    "wrong_token": (
        "That is not the token. It stands in VIGIE_BOARD_TOKEN where the board was started.",
        "Ce n'est pas le jeton. Il figure dans VIGIE_BOARD_TOKEN, là où la page a été lancée.",
    ),
    "sign_in": ("Sign in", "Se connecter"),
    "sign_out": ("Sign out", "Se déconnecter"),
    "not_found": ("Nothing here", "Rien ici"),
    "not_found_text": ("There is no page {path}.", "Il n'y a pas de page {path}."),
    "unknown_model": (
        "No contract names a model {model}. Known: {known}.",
        "Aucun contrat ne nomme le modèle {model}. Connus : {known}.",
    ),
    "no_such_mail": ("There is no mail {name}.", "Il n'y a pas de courriel {name}."),
    "unreachable": ("The engine does not answer", "Le moteur ne répond pas"),
    "unreachable_cure": (
        "Start the engine or correct VIGIE_URL, then load this page again.",
        "Démarrer le moteur ou corriger VIGIE_URL, puis recharger cette page.",
    ),
    "refused": ("The engine refused the request", "Le moteur a refusé la requête"),
    "refused_cure": (
        "Run vigie provision, which installs the mappings that the board reads, then load this page again.",
        "Lancer vigie provision, qui installe les mappings que cette page lit, puis recharger la page.",
    ),
    "broken_page": ("This page failed", "Cette page a échoué"),
    "broken_text": (
        "The reason stands in the log of the board. The other pages still work.",
        "La raison figure dans le journal de la page. Les autres pages fonctionnent.",
    ),
    "home": ("Back to the overview", "Retour à la vue d'ensemble"),
}


def say(key: str, lang: Language, values: Mapping[str, object] | None = None) -> str:
    """The sentence of that key, with its values filled in.

    >>> say("of", "fr", {"n": 12})
    'sur 12'
    """
    return WORDS[key][LANGUAGES.index(lang)].format_map(values or {})


def negotiate(asked: str | None, header: str) -> Language:
    """Language of a visit: the address first, then the browser's wish, else English.

    >>> negotiate(None, "de, fr-CA;q=0.8, en;q=0.5")
    'fr'
    """
    if asked in LANGUAGES:
        return asked
    wishes = sorted((_wish(part) for part in header.split(",")[:20]), key=lambda w: -w[1])
    found = next((lang for tag, q in wishes for lang in LANGUAGES if q > 0 and tag == lang), None)
    return found or "en"


def _wish(part: str) -> tuple[str, float]:
    tag, _, quality = part.partition(";")
    try:
        weight = float(quality.strip().removeprefix("q=") or 1)
    except ValueError:
        weight = 0.0
    return tag.strip().lower().partition("-")[0], weight
