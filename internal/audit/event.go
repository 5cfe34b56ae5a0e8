package audit

// Event names what happened: <thing>.<verb in the past>.
type Event string

// Everything that leaves a record.
const (
	MemberSignedUp     Event = "member.signed_up"
	MemberCreated      Event = "member.created"
	MemberSignedIn     Event = "member.signed_in"
	MemberSignedOut    Event = "member.signed_out"
	SessionsEnded      Event = "sessions.ended"
	MemberSuspended    Event = "member.suspended"
	MemberResumed      Event = "member.resumed"
	MemberDownloaded   Event = "member.downloaded"
	MemberLeaving      Event = "member.leaving"
	MemberStayed       Event = "member.stayed"
	MemberErased       Event = "member.erased"
	PasswordResetAsked Event = "password.reset_asked" //nolint:gosec // G101: a name
	PasswordReset      Event = "password.reset"       //nolint:gosec // G101: a name
	PasswordChanged    Event = "password.changed"     //nolint:gosec // G101: a name
	SignUpAsked        Event = "member.sign_up_asked"
	AddressAsked       Event = "address.change_asked"
	AddressChanged     Event = "address.changed"
	SignInRefused      Event = "sign_in.refused"
	FactorAdded        Event = "factor.added"
	FactorRemoved      Event = "factor.removed"
	RecoveryCodesMade  Event = "recovery_codes.made"
	PasskeyAdded       Event = "passkey.added"
	PasskeyRemoved     Event = "passkey.removed"
	PasskeyRefused     Event = "passkey.refused"
	GrantGiven         Event = "grant.given"
	GrantChanged       Event = "grant.changed"
	GrantRevoked       Event = "grant.revoked"
	ConsentDenied      Event = "consent.denied"
	CodeIssued         Event = "code.issued"
	CodeRedeemed       Event = "code.redeemed"
	CodeReused         Event = "code.reused"
	TokenRefreshed     Event = "token.refreshed"
	TokenReused        Event = "token.reused"
	TokenRevoked       Event = "token.revoked"
	ServiceTokenIssued Event = "service_token.issued"
	RequestPushed      Event = "request.pushed"
	MailUndelivered    Event = "mail.undelivered"
	LogoutDelivered    Event = "logout.delivered"
	LogoutUndelivered  Event = "logout.undelivered"
	CredentialRefused  Event = "credential.refused" //nolint:gosec // G101: a name
	ClientCreated      Event = "client.created"
	ClientUpdated      Event = "client.updated"
	ClientEnabled      Event = "client.enabled"
	ClientDisabled     Event = "client.disabled"
	ClientSecretMade   Event = "client.secret_made"
	DemographicsRead   Event = "demographics.read"
	BiomarkersRead     Event = "biomarkers.read"
	BiomarkersImported Event = "biomarkers.imported"
	BiomarkerRetracted Event = "biomarker.retracted"
	CodeMapped         Event = "code.mapped"
	KeyMade            Event = "key.made"
	KeyRetired         Event = "key.retired"
	KeyRevoked         Event = "key.revoked"
	KeysRewrapped      Event = "keys.rewrapped"
	EpochBegun         Event = "epoch.begun"
)
