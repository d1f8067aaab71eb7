import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.rest.api.SearchStyleEnum;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.gclient.DateClientParam;
import ca.uhn.fhir.rest.gclient.TokenClientParam;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.AuditEvent;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.CodeType;

/**
 * What HAPI FHIR makes of the repository's answers; one line of output for each fact.
 *
 * validate FILE: each line of the file is a resource; prints "error LINE MESSAGE" and "validated N".
 * page URL TOKEN COUNT: pages through a search by GET and one by POST, creates an event between
 * two pages, reads one by id; prints "get ID", "post ID", "created ID", "read ID".
 */
public final class FhirCheck {
  private static final FhirContext CONTEXT = FhirContext.forR4();

  public static void main(String[] words) throws Exception {
    if (words[0].equals("validate")) {
      validate(Path.of(words[1]));
    } else {
      page(words[1], words[2], Integer.parseInt(words[3]));
    }
  }

  private static void validate(Path file) throws Exception {
    InMemoryTerminologyServerValidationSupport terminology =
        new InMemoryTerminologyServerValidationSupport(CONTEXT);
    FhirValidator validator = CONTEXT.newValidator();
    validator.registerValidatorModule(
        new FhirInstanceValidator(
            new ValidationSupportChain(
                new DefaultProfileValidationSupport(CONTEXT),
                new CommonCodeSystemsTerminologyService(CONTEXT),
                terminology)));
    int number = 0;
    for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
      CONTEXT.newJsonParser().parseResource(line);
      for (SingleValidationMessage said : validator.validateWithResult(line).getMessages()) {
        if (said.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0) {
          System.out.println(
              "error " + number + " " + said.getLocationString() + " " + said.getMessage());
        }
      }
      number++;
    }
    System.out.println("validated " + number);
  }

  private static void page(String url, String token, int count) {
    CONTEXT.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
    IGenericClient client = CONTEXT.newRestfulGenericClient(url);
    client.setEncoding(EncodingEnum.JSON);
    client.registerInterceptor(new BearerTokenAuthInterceptor(token));
    CapabilityStatement told = client.capabilities().ofType(CapabilityStatement.class).execute();
    for (CodeType format : told.getFormat()) {
      System.out.println("format " + format.getValue());
    }
    pages(client, "get", SearchStyleEnum.GET, count);
    pages(client, "post", SearchStyleEnum.POST, count);
  }

  private static void pages(IGenericClient client, String name, SearchStyleEnum style, int count) {
    Bundle page =
        client
            .search()
            .forResource(AuditEvent.class)
            .where(new DateClientParam("date").afterOrEquals().day("2020-01-01"))
            .where(new TokenClientParam("type").exactly().code("110103"))
            .count(count)
            .usingStyle(style)
            .returnBundle(Bundle.class)
            .execute();
    System.out.println(name + "-total " + page.getTotal());
    String first = page.getEntryFirstRep().getResource().getIdElement().getIdPart();
    AuditEvent read = client.read().resource(AuditEvent.class).withId(first).execute();
    System.out.println(name + "-read " + read.getIdElement().getIdPart());
    while (true) {
      for (Bundle.BundleEntryComponent entry : page.getEntry()) {
        System.out.println(name + " " + entry.getResource().getIdElement().getIdPart());
      }
      if (page.getLink(Bundle.LINK_NEXT) == null) {
        return;
      }
      // Records arrive while the client reads on.
      AuditEvent event = read.copy();
      event.setId((String) null);
      event.setMeta(null);
      String made = client.create().resource(event).execute().getId().getIdPart();
      System.out.println(name + "-created " + made);
      page = client.loadPage().next(page).execute();
    }
  }
}
