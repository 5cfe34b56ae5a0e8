package example;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.annotation.RegisteredOAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.oidc.authentication.OidcIdTokenDecoderFactory;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestCustomizers;
import org.springframework.security.oauth2.client.web.OAuth2LoginAuthenticationFilter;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwtDecoderFactory;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClient;

/**
 * Connect with Loop in Spring Boot, with Spring Security as the OAuth client.
 *
 * <p>It keeps tokens in memory and forgets them when it stops. An app for real members gives
 * Spring an OAuth2AuthorizedClientService that keeps them encrypted in a database.
 */
@SpringBootApplication
@RestController
public class App {
  private final RestClient clinical;

  App(@Value("${LOOP_CLINICAL_URL}") String address) {
    this.clinical = RestClient.create(address);
  }

  public static void main(String[] args) {
    var app = SpringApplication.run(App.class, args);
    System.out.println("open http://localhost:" + app.getEnvironment().getProperty("server.port") + "/login");
  }

  // docs:begin security
  /** Spring Security sends the member to Loop, takes the answer and checks the ID token. */
  @Bean
  SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository clients, @Value("${LOOP_IDENTITY_URL}") String issuer) throws Exception {
    var begin = new DefaultOAuth2AuthorizationRequestResolver(clients, "/login");
    begin.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
    return http
        .authorizeHttpRequests(all -> all.anyRequest().authenticated())
        .addFilterBefore(new IssuerFilter(issuer), OAuth2LoginAuthenticationFilter.class)
        .oauth2Login(login -> login
            .loginPage("/login/loop")
            .authorizationEndpoint(endpoint -> endpoint.authorizationRequestResolver(begin))
            .redirectionEndpoint(endpoint -> endpoint.baseUri("/callback"))
            .defaultSuccessUrl("/", true)
            .failureHandler((request, response, failure) ->
                refuse(response, ((OAuth2AuthenticationException) failure).getError().getErrorCode())))
        .build();
  }
  // docs:end security

  // docs:begin algorithm
  /** Loop signs ID tokens with ES256, as each client may choose; Spring would expect RS256. */
  @Bean
  JwtDecoderFactory<ClientRegistration> idTokens() {
    var factory = new OidcIdTokenDecoderFactory();
    factory.setJwsAlgorithmResolver(client -> SignatureAlgorithm.ES256);
    return factory;
  }
  // docs:end algorithm

  /** Says why the member is not connected; a member who said no is access_denied. */
  static void refuse(HttpServletResponse response, String code) throws IOException {
    response.setStatus(HttpServletResponse.SC_BAD_REQUEST);
    response.setContentType("application/json");
    response.getWriter().print("{\"error\": \"" + code.replaceAll("[^a-z_]", "") + "\"}");
  }

  // docs:begin results
  /** Reads what the member allows; a 403 means that they left lab results out. */
  @GetMapping("/")
  Map<String, Object> results(@RegisteredOAuth2AuthorizedClient("loop") OAuth2AuthorizedClient loop) {
    var answer = new LinkedHashMap<String, Object>();
    answer.put("message", "Connected to Loop!");
    answer.put("scopes", String.join(" ", new TreeSet<>(loop.getAccessToken().getScopes())));
    answer.put("biomarkers", biomarkers(loop));
    return answer;
  }

  private Object biomarkers(OAuth2AuthorizedClient loop) {
    try {
      return clinical.get().uri("/v1/biomarkers/me")
          .headers(headers -> headers.setBearerAuth(loop.getAccessToken().getTokenValue()))
          .retrieve().body(Map.class);
    } catch (HttpClientErrorException.Forbidden declined) {
      return null;
    }
  }
  // docs:end results
}
