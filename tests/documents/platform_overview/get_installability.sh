curl -X GET $BASE/v1/providers/packages/$PACKAGE_ID/installability
