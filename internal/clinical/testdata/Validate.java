import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.NpmPackageValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Validates each file of a folder by FHIR R4 and a package of profiles, and prints what it has
 * to say: severity, file, place and message, separated by tabs, a line each. Arguments: the
 * package (.tgz) on the class path, then the folder.
 */
public final class Validate {
  public static void main(String[] args) throws Exception {
    FhirContext context = FhirContext.forR4();
    NpmPackageValidationSupport profiles = new NpmPackageValidationSupport(context);
    profiles.loadPackageFromClasspath(args[0]);
    ValidationSupportChain chain = new ValidationSupportChain(
        profiles,
        new DefaultProfileValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context),
        new SnapshotGeneratingValidationSupport(context));
    FhirValidator validator = context.newValidator().registerValidatorModule(new FhirInstanceValidator(chain));
    List<Path> files;
    try (var found = Files.list(Path.of(args[1]))) {
      files = found.sorted().toList();
    }
    for (Path file : files) {
      for (SingleValidationMessage m : validator.validateWithResult(Files.readString(file)).getMessages()) {
        System.out.println(m.getSeverity() + "\t" + file.getFileName() + "\t" + m.getLocationString() + "\t" + m.getMessage().replace('\n', ' '));
      }
    }
    System.out.println("DONE\t" + files.size());
  }
}
