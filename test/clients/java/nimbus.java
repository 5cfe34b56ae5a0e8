import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.auth.*;
import com.nimbusds.oauth2.sdk.id.*;
import com.nimbusds.oauth2.sdk.pkce.*;
import com.nimbusds.oauth2.sdk.token.*;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import com.nimbusds.jose.JWSAlgorithm;
import java.net.URI;
import java.util.*;

/** Nimbus's OAuth 2.0 SDK with OpenID Connect extensions, by its guides. */
class App extends SmallApp {
  OIDCProviderMetadata server;
  ClientAuthentication authentication;
  AuthenticationRequest request;
  CodeVerifier verifier;

  @Override
  String login() throws Exception {
    // LINES
    return request.toURI().toString();
  }

  @Override
  Tokens callback(URI address, Map<String, String> answer) throws Exception {
    AuthenticationResponse response = AuthenticationResponseParser.parse(address);
    if (!response.indicatesSuccess()) {
      throw new IllegalStateException(response.toErrorResponse().getErrorObject().toJSONObject().toString());
    }
    if (!request.getState().equals(response.getState())) {
      throw new IllegalStateException("the state is not the session's");
    }
    AuthorizationCode code = response.toSuccessResponse().getAuthorizationCode();
    com.nimbusds.openid.connect.sdk.token.OIDCTokens got = send(new AuthorizationCodeGrant(code, request.getRedirectionURI(), verifier));
    new IDTokenValidator(server.getIssuer(), authentication.getClientID(), JWSAlgorithm.ES256, server.getJWKSetURI().toURL())
        .validate(got.getIDToken(), request.getNonce());
    return keep(got);
  }

  com.nimbusds.openid.connect.sdk.token.OIDCTokens send(AuthorizationGrant grant) throws Exception {
    TokenRequest token = new TokenRequest.Builder(server.getTokenEndpointURI(), authentication, grant).build();
    TokenResponse response = OIDCTokenResponseParser.parse(token.toHTTPRequest().send());
    if (!response.indicatesSuccess()) {
      throw new IllegalStateException(response.toErrorResponse().getErrorObject().toJSONObject().toString());
    }
    return ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
  }

  static Tokens keep(com.nimbusds.openid.connect.sdk.token.OIDCTokens got) {
    return new Tokens(got.getAccessToken().getValue(), got.getRefreshToken().getValue());
  }

  @Override
  String subject(Tokens tokens) throws Exception {
    UserInfoRequest asked = new UserInfoRequest(server.getUserInfoEndpointURI(), new BearerAccessToken(tokens.access()));
    return UserInfoResponse.parse(asked.toHTTPRequest().send()).toSuccessResponse().getUserInfo().getSubject().getValue();
  }

  @Override
  Tokens refresh(Tokens tokens) throws Exception {
    return keep(send(new RefreshTokenGrant(new RefreshToken(tokens.refresh()))));
  }

  @Override
  void disconnect(Tokens tokens) throws Exception {
    new TokenRevocationRequest(server.getRevocationEndpointURI(), authentication, new RefreshToken(tokens.refresh()))
        .toHTTPRequest().send().ensureStatusCode(200);
  }

  public static void main(String[] arguments) throws Exception {
    new App().serve(OIDCProviderMetadata.class);
  }
}
