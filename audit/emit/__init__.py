"""What a DICOM application imports to become a Secure Node."""
