msg.payload = {
    "name" : "CYber Group Inc.",
    "Domain" : "Information Technology & Services",
    "Offices" : {
        "Dallas" :  "12900 Preston Road, Ste 900, Dallas, TX, 75230",
        "India" : "30/1 Knowledge Park III, Greater Noida"
    }
}
return msg;