package oauth

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/loop-health/loop/internal/loop"
)

// UserInfo is the answer of userinfo (OpenID Connect Core §5.3.2).
type UserInfo struct {
	Subject loop.MemberID `json:"sub"`
	MemberClaims
}

// signedUserInfo is the same as a JWT's claims, which say who made them for whom.
type signedUserInfo struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	UserInfo
}

// UserInfo describes the member whom an access token is about; signed is a JWT
// of the same, where the client registered to get one.
func (s *Server) UserInfo(ctx context.Context, token AccessToken) (info UserInfo, signed string, err error) {
	m, err := s.Ledger.Member(ctx, token.Member)
	if err != nil {
		return info, "", err
	}
	info = UserInfo{Subject: m.ID, MemberClaims: ClaimsOf(m, token.Scopes)}
	client, err := s.Ledger.Client(ctx, token.Client)
	if err != nil || client.Protocol.UserInfoAlgorithm == "" {
		return info, "", err
	}
	body, err := json.Marshal(signedUserInfo{Issuer: s.Issuer, Audience: string(token.Client), UserInfo: info})
	if err != nil {
		return info, "", fmt.Errorf("encoding userinfo: %w", err)
	}
	signed, err = s.Minter.sign(client.Protocol.UserInfoAlgorithm, "userinfo+jwt", body)
	return info, signed, err
}
