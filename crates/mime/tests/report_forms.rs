//! The forms in which mail systems report a failed delivery without the fields that the standard has for it.
//!
//! Each form is written here in the manner of its kind; no mail is copied.

use guichet_mime::{
    parse,
    report::{self, Nature, Permanence},
};

/// A report: who sends it under which subject, what it says, and what has to be understood.
struct Form {
    kind: &'static str,
    from: &'static str,
    subject: &'static str,
    text: &'static str,
    /// Address and whether it is hard; an unknown user in answer to nobody knows which command is soft.
    told: &'static [(&'static str, Permanence)],
    status: Option<&'static str>,
}

use Permanence::{Hard, Soft};

const FORMS: &[Form] = &[
    Form {
        kind: "qmail",
        from: "MAILER-DAEMON@mx.example",
        subject: "failure notice",
        text: "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the \
               following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n\
               <ada@fabrikam.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 <ada@fabrikam.example>: \
               unknown user\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nTo: ada@fabrikam.example\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "qmail without remote host",
        from: "MAILER-DAEMON@mx.example",
        subject: "failure notice",
        text: "Hi. This is the qmail-send program at mx.example.\n\n<ada@fabrikam.example>:\nSorry, I couldn't find any host \
               named fabrikam.example. (#5.1.2)\n\n<bob@fabrikam.example>:\nuser is over quota (#5.2.2)\n",
        told: &[("ada@fabrikam.example", Hard), ("bob@fabrikam.example", Soft)],
        status: Some("5.1.2"),
    },
    Form {
        kind: "Exim",
        from: "Mail Delivery System <Mailer-Daemon@mx.example>",
        subject: "Mail delivery failed: returning message to sender",
        text: "This message was created automatically by mail delivery software.\n\nA message that you sent could not be \
               delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  \
               ada@fabrikam.example\n    SMTP error from remote mail server after RCPT TO:<ada@fabrikam.example>:\n    host \
               mx.fabrikam.example [192.0.2.1]: 550 5.1.1 no such user\n  bob@fabrikam.example\n    (generated from \
               team@fabrikam.example)\n    mailbox is full: retry timeout exceeded\n\n------ This is a copy of the message, \
               including all the headers. ------\n\nReturn-path: <support@contoso.example>\n",
        told: &[("ada@fabrikam.example", Hard), ("bob@fabrikam.example", Soft)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Exim that goes on trying",
        from: "Mail Delivery System <Mailer-Daemon@mx.example>",
        subject: "Warning: message 1abcde-000000-Ab delayed 24 hours",
        text: "This message was created automatically by mail delivery software.\nA message that you sent has not yet been \
               delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.\n\nThe \
               address to which the message has not yet been delivered is:\n\n  ada@fabrikam.example\n    host \
               mx.fabrikam.example [192.0.2.1]: Connection timed out\n\nNo action is required on your part.\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "Sendmail",
        from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
        subject: "Returned mail: see transcript for details",
        text: "The original message was received at Thu, 1 Jan 2026 10:00:00 GMT\nfrom localhost [127.0.0.1]\n\n   ----- The \
               following addresses had permanent fatal errors -----\n<ada@fabrikam.example>\n    (reason: 550 5.1.1 \
               <ada@fabrikam.example>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to \
               mx.fabrikam.example.:\n>>> RCPT To:<ada@fabrikam.example>\n<<< 550 5.1.1 <ada@fabrikam.example>... User \
               unknown\n550 5.1.1 <ada@fabrikam.example>... User unknown\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "old Sendmail",
        from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
        subject: "Returned mail: Host unknown",
        text: "   ----- Transcript of session follows -----\n550 ada@fabrikam.example... Host unknown (Name server: \
               fabrikam.example: host not found)\n\n   ----- Unsent message follows -----\nReceived: by mx.example\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "Postfix without fields",
        from: "MAILER-DAEMON@mx.example (Mail Delivery System)",
        subject: "Undelivered Mail Returned to Sender",
        text: "This is the mail system at host mx.example.\n\nI'm sorry to have to inform you that your message could not\nbe \
               delivered to one or more recipients. It's attached below.\n\n<ada@fabrikam.example>: host \
               mx.fabrikam.example[192.0.2.1] said: 550-5.1.1 The\n    email account that you tried to reach does not \
               exist. (in reply to RCPT TO\n    command)\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Exchange 2003",
        from: "System Administrator <postmaster@fabrikam.example>",
        subject: "Undeliverable: Your order",
        text: "Your message\n\n  To:      ada@fabrikam.example\n  Subject: Your order\n  Sent:    Thu, 1 Jan 2026 10:00:00 \
               -0000\n\ndid not reach the following recipient(s):\n\nada@fabrikam.example on Thu, 1 Jan 2026 10:00:05 -0000\n    \
               The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=us;a= ;p=fabrikam\n    \
               MSEXCH:IMS:Fabrikam:HQ:MX 0 (000C05A6) Unknown Recipient\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "Exchange 2007, English",
        from: "Microsoft Exchange <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@fabrikam.example>",
        subject: "Undeliverable: Your order",
        text: "Delivery has failed to these recipients or groups:\n\nada@fabrikam.example\nThe e-mail address you entered \
               couldn't be found. Please check the recipient's e-mail address and try to resend the message.\n\n\
               Diagnostic information for administrators:\n\nGenerating server: mx.fabrikam.example\n\nada@fabrikam.example\n\
               #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n\nReceived: from a by b\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Exchange, German",
        from: "Microsoft Outlook <postmaster@fabrikam.example>",
        subject: "Unzustellbar: Ihre Bestellung",
        text: "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\nada@fabrikam.example\nDie \
               eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n\nDiagnoseinformationen für Administratoren:\n\n\
               Generierender Server: mx.fabrikam.example\n\nada@fabrikam.example\nRemote Server returned '550 5.1.10 \
               RESOLVER.ADR.RecipientNotFound; Recipient not found'\n\nUrsprüngliche Nachrichtenkopfzeilen:\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.10"),
    },
    Form {
        kind: "Exchange, French",
        from: "Microsoft Outlook <postmaster@fabrikam.example>",
        subject: "Non remis : Votre commande",
        text: "Échec de la remise pour ces destinataires ou groupes :\n\nada@fabrikam.example\nLa boîte de réception du \
               destinataire est pleine et ne peut pas accepter de messages.\n\nInformations de diagnostic pour les \
               administrateurs :\n\nServeur de génération : mx.fabrikam.example\n\nada@fabrikam.example\nRemote Server \
               returned '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException'\n\nEn-têtes de message \
               d'origine :\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: Some("5.2.2"),
    },
    Form {
        kind: "Exchange, Spanish",
        from: "Microsoft Outlook <postmaster@fabrikam.example>",
        subject: "No se puede entregar: Su pedido",
        text: "Error de entrega a estos destinatarios o grupos:\n\nada@fabrikam.example\nNo se encontró la dirección de correo \
               electrónico especificada.\n\nInformación de diagnóstico para los administradores:\n\nServidor de generación: \
               mx.fabrikam.example\n\nada@fabrikam.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Exchange, Italian",
        from: "Microsoft Outlook <postmaster@fabrikam.example>",
        subject: "Non recapitabile: Il suo ordine",
        text: "Impossibile recapitare il messaggio ai seguenti destinatari o gruppi:\n\nada@fabrikam.example\nL'indirizzo di \
               posta elettronica immesso non è stato trovato.\n\nInformazioni di diagnostica per gli amministratori:\n\n\
               ada@fabrikam.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Exchange, Dutch",
        from: "Microsoft Outlook <postmaster@fabrikam.example>",
        subject: "Onbestelbaar: Uw bestelling",
        text: "Bezorging is mislukt bij deze geadresseerden of groepen:\n\nada@fabrikam.example\nHet ingevoerde e-mailadres is \
               niet gevonden.\n\nDiagnostische gegevens voor beheerders:\n\nada@fabrikam.example\n#550 5.1.1 \
               RESOLVER.ADR.RecipNotFound; not found ##\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Exchange, Portuguese",
        from: "Microsoft Outlook <postmaster@fabrikam.example>",
        subject: "Não foi possível entregar: O seu pedido",
        text: "Falha na entrega a estes destinatários ou grupos:\n\nada@fabrikam.example\nNão foi possível encontrar o \
               endereço de email que introduziu.\n\nada@fabrikam.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Exchange, Japanese",
        from: "Microsoft Outlook <postmaster@fabrikam.example>",
        subject: "配信不能: ご注文",
        text: "次の受信者またはグループへの配信に失敗しました:\n\nada@fabrikam.example\n入力した電子メール アドレスが見つかりませんでした。\n\n\
               管理者向けの診断情報:\n\nada@fabrikam.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Domino",
        from: "Postmaster@fabrikam.example",
        subject: "DELIVERY FAILURE: User ada (ada@fabrikam.example) not listed in Domino Directory",
        text: "Your message\n\n  Subject: Your order\n\nwas not delivered to:\n\n  ada@fabrikam.example\n\nbecause:\n\n  User \
               ada (ada@fabrikam.example) not listed in Domino Directory\n\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "GroupWise",
        from: "Mail Delivery System <Mailer-Daemon@fabrikam.example>",
        subject: "Message status - undeliverable",
        text: "The message that you sent was undeliverable to the following:\n\tada@fabrikam.example (user not found)\n\n\
               Possibly truncated original message follows:\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "IMail",
        from: "Postmaster <postmaster@fabrikam.example>",
        subject: "Undeliverable Mail",
        text: "Unknown user: ada@fabrikam.example\n\n\nOriginal message follows.\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "IMail with a host",
        from: "Postmaster <postmaster@fabrikam.example>",
        subject: "Undeliverable Mail",
        text: "undeliverable to ada@fabrikam.example\nBody of message generated response:\n552 Message rejected, mailbox full\n\n\
               Original message follows.\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "MailEnable",
        from: "postmaster@fabrikam.example",
        subject: "Message delivery failure",
        text: "Message could not be delivered to some recipients.\nThe following recipient(s) could not be reached:\n\n\
               Recipient: [SMTP:ada@fabrikam.example]\nReason: Remote SMTP Server Returned: 550 Unknown user\n\n\
               Message headers follow:\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "Yahoo",
        from: "MAILER-DAEMON@yahoo.example",
        subject: "Failure Notice",
        text: "Sorry, we were unable to deliver your message to the following address.\n\n<ada@fabrikam.example>:\nRemote host \
               said:\n550 5.1.1 <ada@fabrikam.example>... User Unknown\n [RCPT_TO]\n\n--- Below this line is a copy of the \
               message.\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Google, old",
        from: "Mail Delivery Subsystem <mailer-daemon@google.example>",
        subject: "Delivery Status Notification (Failure)",
        text: "Delivery to the following recipient failed permanently:\n\n     ada@fabrikam.example\n\nTechnical details of \
               permanent failure: \nGoogle tried to deliver your message, but it was rejected by the recipient domain. The \
               error that the other server returned was: 550 550 5.2.2 <ada@fabrikam.example>: mailbox full (state 14).\n\n\
               ----- Original message -----\n\nReceived: by a\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: Some("5.2.2"),
    },
    Form {
        kind: "Google, new",
        from: "Mail Delivery Subsystem <mailer-daemon@google.example>",
        subject: "Delivery Status Notification (Failure)",
        text: "** Address not found **\n\nYour message wasn't delivered to ada@fabrikam.example because the address couldn't be \
               found, or is unable to receive mail.\n\nThe response from the remote server was:\n550 5.1.1 \
               <ada@fabrikam.example>: Recipient address rejected: User unknown\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Zoho",
        from: "mailer-daemon@mail.example",
        subject: "Undelivered Mail Returned to Sender",
        text: "This message was created automatically by mail delivery software.\nA message that you sent could not be delivered \
               to one or more of its recipients. This is a permanent error.\n\nada@fabrikam.example Invalid Address, \
               ERROR_CODE :550, ERROR_CODE :5.1.1 unknown user\n\nReceived:from a\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Amazon WorkMail",
        from: "MAILER-DAEMON@amazonses.example",
        subject: "Delivery Status Notification (Failure)",
        text: "An error occurred while trying to deliver the mail to the following recipients:\nada@fabrikam.example\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "Mail.ru",
        from: "mailer-daemon@corp.mail.example",
        subject: "Mail failure.",
        text: "This message was created automatically by mail delivery software.\n\nA message that you sent could not be \
               delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  \
               ada@fabrikam.example\n    User and user mailbox are not found: invalid mailbox\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "Yandex",
        from: "mailer-daemon@yandex.example",
        subject: "Недоставленное сообщение",
        text: "Это письмо отправлено почтовым сервером yandex.\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше \
               письмо не может\nбыть отправлено одному или нескольким адресатам.\n\n<ada@fabrikam.example>: host \
               mx.fabrikam.example[192.0.2.1] said: 550 5.1.1 No such user (in reply to RCPT TO command)\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "GMX and 1&1",
        from: "GMX Mailer Daemon <mailer-daemon@gmx.example>",
        subject: "Mail delivery failed: returning message to sender",
        text: "This message was created automatically by mail delivery software.\n\nA message that you sent could not be \
               delivered to\none or more of its recipients. This is a permanent error.\nThe following address(es) failed:\n\n\
               \"ada@fabrikam.example\":\nSMTP error from remote server after RCPT command:\nhost: mx.fabrikam.example\n5.1.1 \
               <ada@fabrikam.example>... User unknown\n\n--- The header of the original message is following. ---\n\nReceived: a\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "OpenSMTPD",
        from: "Mailer Daemon <mailer-daemon@mx.example>",
        subject: "Delivery status notification: error",
        text: "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while \
               attempting to deliver a message for\n    the following list of recipients:\n\nada@fabrikam.example: 550 5.1.1 \
               <ada@fabrikam.example>: unknown user\n\n    Below is a copy of the original message:\n\nReceived: from a\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Haraka",
        from: "MAILER-DAEMON@mx.example",
        subject: "failure notice",
        text: "Hi. This is the mail daemon at mx.example.\nI wasn't able to deliver your message to the following \
               addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\nReasons:\n550 5.1.1 unknown \
               user\n\nIntended Recipients:\n<ada@fabrikam.example>\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Courier",
        from: "\"Courier mail server at mx.example\" <@>",
        subject: "NOTICE: mail delivery status.",
        text: "This is a delivery status notification from mx.example,\nrunning the Courier mail server.\n\nThe original message \
               was received on Thu, 1 Jan 2026 10:00:00 +0000\n\n                       UNDELIVERABLE MAIL\n\nYour message to the \
               following recipients cannot be delivered:\n\n<ada@fabrikam.example>:\n    mx.fabrikam.example [192.0.2.1]:\n>>> \
               RCPT TO:<ada@fabrikam.example>\n<<< 550 5.1.1 <ada@fabrikam.example>... User Unknown\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "MailMarshal",
        from: "Marshal <postmaster@fabrikam.example>",
        subject: "Undeliverable Mail: \"Your order\"",
        text: "Your message:\n   From:    support@contoso.example\n   Subject: Your order\n\nCould not be delivered because of\n\n\
               550 5.1.1 User unknown\n\nThe following recipients were affected: \n   ada@fabrikam.example\n\nAdditional \
               Information\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Symantec and MessageLabs",
        from: "Mail Delivery System <mailer-daemon@messagelabs.example>",
        subject: "Mail Delivery Failure",
        text: "This is the Symantec Messaging Gateway.\n\nYour message to ada@fabrikam.example could not be delivered:\n\n550 \
               Invalid recipient <ada@fabrikam.example> (#5.1.1)\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "Sun Messaging Server",
        from: "Internet Mail Delivery <postmaster@mx.example>",
        subject: "Delivery Notification: Delivery has failed",
        text: "This report relates to a message you sent with the following header fields:\n\n  Message-id: \
               <a@contoso.example>\n  From: support@contoso.example\n  To: ada@fabrikam.example\n\nYour message cannot be delivered to \
               the following recipients:\n\n  Recipient address: ada@fabrikam.example\n  Reason: Remote SMTP server has \
               rejected address\n  Diagnostic code: smtp;550 5.1.1 unknown user\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "X.400 gateway",
        from: "postmaster@gateway.example",
        subject: "Delivery Report (failure) for ada@fabrikam.example",
        text: "This report relates to your message:\nSubject: Your order\n\n\tDelivery report for ada@fabrikam.example\n\nYour \
               message was not delivered to    ada@fabrikam.example\n\tfor the following reason:\n\tDiagnostic was \
               Unable to transfer, Message timed out\n\tInformation Message timed out\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "Japanese mobile carrier",
        from: "Postmaster@mobile.example",
        subject: "Mail System Error - Returned Mail",
        text: "Your message to ada@mobile.example was not delivered:\n\nThe user(s) account is disabled.\n\n<ada@mobile.example>\n>>> \
               RCPT TO:<ada@mobile.example>\n<<< 550 <ada@mobile.example>: User unknown\n\n次のあて先へのメッセージはエラーのため送信できませんでした。\n",
        told: &[("ada@mobile.example", Hard)],
        status: None,
    },
    Form {
        kind: "Japanese provider",
        from: "MAILER-DAEMON@provider.example",
        subject: "配信エラーのお知らせ",
        text: "お客様が送信したメールは配信できませんでした。\n\n宛先:\n  ada@fabrikam.example\n\n理由:\n  メールアドレスが存在しません。\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "Verizon",
        from: "post_master@vtext.example",
        subject: "Undeliverable Message",
        text: "Error: 550 No such recipient\n\nMessage could not be delivered to mobile.\n\nMessage details:\n  Subject: Your \
               order\n  To: ada@vtext.example\n",
        told: &[("ada@vtext.example", Hard)],
        status: None,
    },
    Form {
        kind: "Barracuda and Mailfoundry",
        from: "MAILER-DAEMON@mx.example",
        subject: "Message delivery has failed",
        text: "This is a MIME encoded message.\n\nUnable to deliver message to: <ada@fabrikam.example>\nDelivery failed for the \
               following reason:\nServer mx.fabrikam.example[192.0.2.1] failed with: 552 Message rejected: mailbox is full\n\n\
               This has been a permanent failure.  No further delivery attempts will be made.\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "SurfControl",
        from: "postmaster@mx.example",
        subject: "Undeliverable: Your order",
        text: "Your message could not be sent.\n A transcript of the attempts to send the message follows.\n The number of \
               attempts made: 1\n Addressed To: ada@fabrikam.example\n\nThu 1 Jan 2026 10:00:00 +0000\nFailed to send to identified \
               host,\nada@fabrikam.example: [192.0.2.1], 550 No such user\n--- Message non-deliverable.\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
    Form {
        kind: "InterScan",
        from: "MAILER-DAEMON@interscan.example",
        subject: "Mail could not be delivered",
        text: "Sent <<< RCPT TO:<ada@fabrikam.example>\nReceived >>> 550 5.1.1 <ada@fabrikam.example>... user unknown\nUnable to \
               deliver message to <ada@fabrikam.example>.\n\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "m-FILTER",
        from: "MAILER-DAEMON@mx.example",
        subject: "failure notice",
        text: "mx.example could not deliver your message.\n\n-------server message\n550 5.1.1 unknown user \
               <ada@fabrikam.example>\n\n-------original message\nReceived: from a\nTo: ada@fabrikam.example\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: Some("5.1.1"),
    },
    Form {
        kind: "AOL and others, plain",
        from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
        subject: "Undeliverable message",
        text: "Your mail to the following recipients could not be delivered because they are not accepting mail from \
               support@contoso.example:\n\nada@fabrikam.example\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "Mimecast",
        from: "Mail Delivery System <MAILER-DAEMON@mimecast.example>",
        subject: "[Postmaster] Email Delivery Failure",
        text: "Your message could not be delivered.\n\nThe email you sent to the following recipients has been rejected:\n\n\
               ada@fabrikam.example\n\nReason: 550 Rejected by header based manually blocked senders\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "German provider",
        from: "Mail Delivery System <mailer-daemon@provider.example>",
        subject: "E-Mail nicht zugestellt",
        text: "Ihre Nachricht konnte nicht zugestellt werden.\n\nEmpfänger: ada@fabrikam.example\n\nGrund: Das Postfach des \
               Empfängers ist voll.\n",
        told: &[("ada@fabrikam.example", Soft)],
        status: None,
    },
    Form {
        kind: "French provider",
        from: "Mail Delivery System <mailer-daemon@provider.example>",
        subject: "Message non distribué",
        text: "Votre message n'a pas pu être remis au destinataire suivant :\n\n<ada@fabrikam.example>\n\nMotif : destinataire \
               inconnu\n",
        told: &[("ada@fabrikam.example", Hard)],
        status: None,
    },
];

#[test]
fn every_form_is_understood() {
    let mut wrong = Vec::new();
    for form in FORMS {
        let mail = format!(
            "Return-Path: <>\nFrom: {}\nTo: support@contoso.example\nSubject: {}\nMIME-Version: 1.0\n\
             Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}",
            form.from, form.subject, form.text
        );
        let kind = form.kind;
        let Nature::DeliveryReport(report) = report::read(&parse(mail.as_bytes())) else {
            wrong.push(format!("{kind}: not taken for a report"));
            continue;
        };
        let told: Vec<(&str, Permanence)> = report
            .recipients
            .iter()
            .map(|one| (one.address.as_str(), one.permanence()))
            .collect();
        if told != form.told {
            let reasons: Vec<_> = report.recipients.iter().map(|one| one.reason.as_str()).collect();
            wrong.push(format!("{kind}: {told:?} {reasons:?}"));
        }
        let status = report.recipients.first().and_then(|one| one.status);
        let status = status.map(|status| status.to_string());
        if status.as_deref() != form.status {
            wrong.push(format!("{kind}: status {status:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
