# L'aide : les textes anglais sont dans le code, à côté de ce qu'ils expliquent (src/cli/help.rs).

heading-commands = Commandes
note-default = [par défaut : { $value }]
note-values = [valeurs possibles : { $value }]
note-variable = [variable : { $value }]
after-help = Lancez `piquet` sans commande pour démarrer votre nœud.
man-name = NOM
man-subcommands = COMMANDES

cmd = Messagerie et organisation de pair à pair, pour qui travaille par plateforme
cmd-help = Affiche cette aide, ou celle d'une commande
arg-help = Affiche l'aide
arg-version = Affiche la version
arg-subcommand = Affiche l'aide de cette commande
arg-home = Dossier du profil [par défaut : le dossier de données du système]
arg-json = Un objet JSON par ligne, pour les programmes
arg-lang = Langue de ce qui s'adresse aux personnes [par défaut : celle du système]
arg-group = Nom, identifiant, ou un début unique de l'un ou l'autre
arg-id = Son identifiant, ou un début unique
arg-no_passphrase = Sans phrase de passe : quiconque a l'ordinateur peut tout y lire

cmd-up = Démarre votre nœud (la première fois : crée un profil). La commande par défaut
arg-up-listen = Où écouter, par exemple /ip4/0.0.0.0/tcp/4001 ; peut être répété [par défaut : toutes les adresses de cet ordinateur, au port de la dernière fois, s'il est libre]
arg-up-lan = Cherche des nœuds sur ce réseau. D'autres y voient alors qu'un nœud est là
arg-up-no_web = Pas de page dans le navigateur (il n'y en a pas encore)
arg-up-name = Comment les groupes vous appellent, sauf si vous dites autrement en rejoignant : pas besoin d'un vrai nom [par défaut : member]
cmd-init = Crée seulement un profil
arg-init-name = Comment les groupes vous appellent, sauf si vous dites autrement en rejoignant : pas besoin d'un vrai nom [par défaut : member]
cmd-status = Montre ce qui est connecté, synchronisé, en attente
cmd-passphrase = Change ou retire la phrase de passe
arg-passphrase-new_file = Lit la nouvelle phrase de passe à la première ligne de ce fichier [par défaut : la demande au terminal]
arg-passphrase-remove = Retire la phrase de passe
cmd-wipe = Détruit le profil : les clés d'abord, puis les fichiers
arg-wipe-yes = Ne demande pas de confirmation
cmd-doctor = Examine le profil
cmd-completions = Affiche un script de complétion pour un interpréteur de commandes
arg-completions-shell = Pour quel interpréteur
cmd-man = Affiche la page de manuel

cmd-group = Créer, montrer et quitter des groupes ; en exclure des membres
cmd-group-create = Crée une ébauche : un groupe dont vous décidez sans autre accord qui entre et qui sort
arg-group-create-name = Son nom
arg-group-create-hybrid = Prend la suite hybride post-quantique (messages plus longs, une trentaine de membres ; ne se change plus ensuite)
cmd-group-list = Liste vos groupes
cmd-group-show = Montre un groupe
cmd-group-members = Liste les membres d'un groupe : qui a admis qui, et qui a été entendu quand
cmd-group-remove = Exclut tout de suite un membre et change les clés. Ce qui lui était lisible jusque-là, considérez-le comme copié
arg-group-remove-member = Nom, identifiant, ou un début unique de l'un ou l'autre
cmd-group-leave = Quitte un groupe
arg-group-leave-yes = Ne demande pas de confirmation là où plus personne ne pourrait admettre ni exclure

cmd-invite = Créer, lister et révoquer des codes d'invitation
arg-invite-uses = Combien de personnes peuvent entrer avec ce code
arg-invite-expires = Combien de temps il vaut : 60s, 5m, 1h, 7d (jours)
arg-invite-qr = Dessine le code pour un appareil photo
cmd-invite-list = Liste les codes d'un groupe
cmd-invite-revoke = Ferme un code
arg-invite-revoke-invite = L'identifiant du code, ou un début unique
cmd-join = Rejoint un groupe avec un code d'invitation
arg-join-code = Le code d'invitation ; espaces et tirets ne comptent pas
arg-join-name = Comment le groupe doit vous appeler [par défaut : le nom du profil]
arg-join-wait = Combien de temps attendre quelqu'un qui puisse vous admettre ; ensuite cela continue tant que `piquet` tourne

cmd-send = Envoie un message
arg-send-text = Que dire ; `-` le lit sur l'entrée standard
cmd-read = Lit les messages
arg-read-follow = Continue et montre les nouveaux messages à mesure
arg-read-limit = Au plus tant : des plus récents, ou de ceux qui suivent --since [par défaut : les 50 plus récents, ou tous ceux qui suivent]
arg-read-since = Seulement ce qui vient après ce message : son identifiant, ou un début unique

cmd-grievance = Déposer des réclamations et les appuyer
cmd-grievance-file = Dépose ce qui ne va pas, pour votre groupe seulement
arg-grievance-file-category = De quoi il s'agit : { $values }
arg-grievance-file-platform = La plateforme
arg-grievance-file-when = Un jour, un mois ou une année, ou de l'un à l'autre : 2026-11-20, 2026-11, 2026-11-03..2026-11-20
arg-grievance-file-every = Cela se reproduit, si souvent
arg-grievance-file-zone = Fuseau horaire des dates, par exemple Europe/Paris
arg-grievance-file-place = La ville, et s'il le faut le nom d'une zone : "Lyon, Part-Dieu" ; jamais de coordonnées
arg-grievance-file-amounts = GENRE=NOMBRE[UNITÉ][/PAR][:BASE], par exemple paid=4.50EUR/task, hours=7h/day:measured ; peut être répété. GENRE : paid (payé), expected (attendu), owed (dû), deducted (retenu), tip (pourboire) ou bonus (prime), dans une monnaie ISO 4217 ; hours (heures), waiting (attente), km ou tasks (tâches). PAR : task, hour, day, week, month ou total (par défaut). BASE : document, measured (mesuré) ou estimate (estimé)
arg-grievance-file-text = Avec vos mots ; sans noms de clients ni de collègues
cmd-grievance-list = Liste les réclamations d'un groupe
cmd-grievance-show = En montre une
cmd-grievance-support = Ajoute la vôtre : chaque membre compte une fois
arg-grievance-support-kind = Il m'est arrivé la même chose, je l'ai vu, j'ai un document

cmd-strike = Appeler à la grève, s'engager, annuler
cmd-strike-call = Appelle à la grève, ou change un appel
arg-strike-call-title = En une ligne
arg-strike-call-start = Début, heure locale, par exemple 2026-12-04T18:00
arg-strike-call-end = Fin, heure locale
arg-strike-call-zone = Fuseau horaire, par exemple Europe/Paris
arg-strike-call-place = Où, pour --start et --end
arg-strike-call-forms = Ce qu'on demande de faire ; peut être répété
arg-strike-call-demands = Ce qu'on demande à l'autre partie ; peut être répété
arg-strike-call-threshold = Combien d'engagements l'appel demande ; 0 : aucun seuil
arg-strike-call-closes = Quand les engagements se ferment, heure locale de la première étape [par défaut : 12 h avant le premier début, ou à mi-chemin d'un début plus proche]
arg-strike-call-answer_window = Chaque nœud répond une fois, oui ou blanc, à un moment au hasard dans ce délai ; 0s : tout de suite
arg-strike-call-legs = Encore un lieu et un moment : "FUSEAU;LIEU;DÉBUT;FIN;SEUIL" ; peut être répété. LIEU et SEUIL peuvent être vides
arg-strike-call-changes = Change cet appel au lieu d'en faire un nouveau : redites-le en entier, les engagements pris restent
cmd-strike-list = Liste les appels d'un groupe
cmd-strike-show = Montre un appel et d'où il vient
cmd-strike-pledge = S'engage à participer. Les personnes nommées dans l'appel pour compter le voient, personne d'autre
arg-strike-pledge-withdraw = Retire votre engagement ; la dernière réponse compte
cmd-strike-call-off = Annule une grève
arg-strike-call-off-reason = Pourquoi
