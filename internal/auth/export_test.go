package auth

import "github.com/go-webauthn/webauthn/protocol"

// ReadAnswers reads what a browser may have sent.
func ReadAnswers(answer string) {
	_, _ = protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	_, _ = protocol.ParseCredentialRequestResponseBytes([]byte(answer))
}
