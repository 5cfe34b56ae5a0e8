import com.google.api.client.auth.oauth2.*;
import com.google.api.client.http.*;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.client.json.GenericJson;
import com.google.api.client.json.JsonObjectParser;
import java.net.URI;
import java.security.SecureRandom;
import java.util.*;

/** google-oauth-client, with its flow for authorization codes. */
class App extends SmallApp {
  final String state = new java.math.BigInteger(128, new SecureRandom()).toString(36);
  AuthorizationCodeFlow flow;

  @Override
  String login() {
    // LINES
    this.flow = flow;
    return url;
  }

  @Override
  Tokens callback(URI address, Map<String, String> answer) throws Exception {
    AuthorizationCodeResponseUrl response = new AuthorizationCodeResponseUrl(address.toString());
    if (response.getError() != null) {
      throw new IllegalStateException(response.getError() + ": " + response.getErrorDescription());
    }
    if (!state.equals(response.getState())) {
      throw new IllegalStateException("the state is not the session's");
    }
    return keep(flow.newTokenRequest(response.getCode()).setRedirectUri(REDIRECT_URI).execute());
  }

  static Tokens keep(TokenResponse got) {
    return new Tokens(got.getAccessToken(), got.getRefreshToken());
  }

  @Override
  String subject(Tokens tokens) throws Exception {
    Credential credential = new Credential(BearerToken.authorizationHeaderAccessMethod()).setAccessToken(tokens.access());
    HttpRequest request = new NetHttpTransport().createRequestFactory(credential).buildGetRequest(new GenericUrl(USERINFO));
    request.setParser(new JsonObjectParser(GsonFactory.getDefaultInstance()));
    return (String) request.execute().parseAs(GenericJson.class).get("sub");
  }

  @Override
  Tokens refresh(Tokens tokens) throws Exception {
    return keep(new RefreshTokenRequest(new NetHttpTransport(), GsonFactory.getDefaultInstance(), new GenericUrl(TOKEN), tokens.refresh())
        .setClientAuthentication(new BasicAuthentication(CLIENT_ID, CLIENT_SECRET)).execute());
  }

  public static void main(String[] arguments) throws Exception {
    new App().serve(AuthorizationCodeFlow.class);
  }
}
