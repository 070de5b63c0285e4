import java.net.InetAddress;
import java.net.UnknownHostException;

/** Prints a line for each name: its addresses, or why there are none. */
class LookUp {
  public static void main(String[] names) {
    for (String name : names) {
      System.out.print(name);
      try {
        for (InetAddress each : InetAddress.getAllByName(name)) {
          System.out.print(" " + each.getHostAddress());
        }
      } catch (UnknownHostException failure) {
        boolean isNone = failure.getMessage().endsWith("Name or service not known");
        System.out.print(isNone ? " none" : " " + failure.getMessage());
      }
      System.out.println();
    }
  }
}
