import com.github.scribejava.core.builder.ServiceBuilder;
import com.github.scribejava.core.builder.api.DefaultApi20;
import com.github.scribejava.core.model.*;
import com.github.scribejava.core.oauth.*;
import com.github.scribejava.core.pkce.*;
import com.github.scribejava.core.revoke.TokenTypeHint;
import java.net.URI;
import java.security.SecureRandom;
import java.util.*;
import net.minidev.json.*;

/** ScribeJava, with an API of one's own, by its README. */
class App extends SmallApp {
  static class Loop extends DefaultApi20 {
    @Override
    public String getAccessTokenEndpoint() {
      return TOKEN;
    }

    @Override
    protected String getAuthorizationBaseUrl() {
      return ISSUER + "/v1/oauth/authorize";
    }

    @Override
    public String getRevokeTokenEndpoint() {
      return ISSUER + "/v1/oauth/revoke";
    }
  }

  final String state = new java.math.BigInteger(128, new SecureRandom()).toString(36);
  OAuth20Service loop;
  PKCE pkce;
  String scope;

  @Override
  String login() {
    // LINES
    loop = service;
    return url;
  }

  @Override
  Tokens callback(URI address, Map<String, String> answer) throws Exception {
    AccessTokenRequestParams request = AccessTokenRequestParams.create(answer.get("code"));
    if (pkce != null) {
      request.pkceCodeVerifier(pkce.getCodeVerifier());
    }
    return keep(loop.getAccessToken(request));
  }

  Tokens keep(OAuth2AccessToken got) {
    scope = got.getScope();
    return new Tokens(got.getAccessToken(), got.getRefreshToken());
  }

  @Override
  String subject(Tokens tokens) throws Exception {
    OAuthRequest request = new OAuthRequest(Verb.GET, USERINFO);
    loop.signRequest(tokens.access(), request);
    try (Response response = loop.execute(request)) {
      return ((JSONObject) JSONValue.parse(response.getBody())).getAsString("sub");
    }
  }

  @Override
  Tokens refresh(Tokens tokens) throws Exception {
    return keep(loop.refreshAccessToken(tokens.refresh()));
  }

  @Override
  void disconnect(Tokens tokens) throws Exception {
    loop.revokeToken(tokens.refresh(), TokenTypeHint.REFRESH_TOKEN);
  }

  public static void main(String[] arguments) throws Exception {
    new App().serve(OAuth20Service.class);
  }
}
