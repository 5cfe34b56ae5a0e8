package example;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.web.filter.OncePerRequestFilter;

// docs:begin issuer
/** Refuses an answer that another authorization server sent (RFC 9207); Spring itself does not look at iss. */
class IssuerFilter extends OncePerRequestFilter {
  private final String issuer;

  IssuerFilter(String issuer) {
    this.issuer = issuer;
  }

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain next) throws ServletException, IOException {
    if (request.getRequestURI().equals("/callback") && !issuer.equals(request.getParameter("iss"))) {
      App.refuse(response, "another_issuer");
      return;
    }
    next.doFilter(request, response);
  }
}
// docs:end issuer
